delete from analytics.users using load_latest_plays where analytics.users.user_id = load_latest_plays.userid
