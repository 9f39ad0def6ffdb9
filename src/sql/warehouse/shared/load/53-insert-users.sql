insert into analytics.users
select userid, firstname, lastname, gender, level from load_latest_plays
