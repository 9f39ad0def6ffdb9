/*
description: One row for each user who has played, with the attributes of the latest play.
key: [user_id]
distribution: { style: all }
sort_key: []
*/
create table if not exists analytics.users (
  user_id bigint not null,
  first_name varchar(1024),
  last_name varchar(1024),
  gender varchar(256),
  level varchar(256)
)
