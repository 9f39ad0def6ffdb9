-- A user whose latest play came with an earlier load stays as he is: loads may come in any order.
-- :load_id :first_ts -> nothing
delete from load_latest_plays using staging.events
where staging.events.userid = load_latest_plays.userid
  and staging.events.page = 'NextSong'
  and staging.events.load_id <> cast(:load_id as bigint)
  and staging.events.ts >= cast(:first_ts as bigint)
  and (
    staging.events.ts > load_latest_plays.ts
    or (
      staging.events.ts = load_latest_plays.ts
      and (
        staging.events.sessionid > load_latest_plays.sessionid
        or (
          staging.events.sessionid = load_latest_plays.sessionid
          and staging.events.iteminsession > load_latest_plays.iteminsession
        )
      )
    )
  )
