/*
title: Users by level
question: How many users are free and how many pay?
description: >-
  Counts each user who has played at least once, under the level of the user's latest play. Levels with equal
  users are ordered by name.
columns:
  level: { type: string, example: free }
  users: { type: integer, unit: users, example: 120 }
chart: { type: columns, x: [level], y: [users] }
*/
select level, count(user_id) as users
from analytics.users
group by level
order by users desc, level;
