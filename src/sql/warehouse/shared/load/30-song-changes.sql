-- The songs to write: those that are new and those whose content differs. Of several versions the last one counts.
create temp table load_song_changes as
select
  staged.row_no, staged.object_no, staged.num_songs, staged.artist_id, staged.artist_latitude,
  staged.artist_longitude, staged.artist_location, staged.artist_name, staged.song_id, staged.title, staged.duration,
  staged.year, known.song_id as replaces, known.artist_id as old_artist_id, known.artist_name as old_artist_name,
  known.title as old_title
from load_songs as staged
inner join (select song_id, max(row_no) as row_no from load_songs group by song_id) as latest
  on latest.row_no = staged.row_no
left join staging.songs as known on known.song_id = staged.song_id
where known.song_id is null
  or md5(
    coalesce(cast(staged.num_songs as varchar), chr(1)) || chr(2) || staged.artist_id || chr(2)
    || coalesce(cast(staged.artist_latitude as varchar), chr(1)) || chr(2)
    || coalesce(cast(staged.artist_longitude as varchar), chr(1)) || chr(2)
    || coalesce(staged.artist_location, chr(1)) || chr(2) || staged.artist_name || chr(2) || staged.title || chr(2)
    || coalesce(cast(staged.duration as varchar), chr(1)) || chr(2) || coalesce(cast(staged.year as varchar), chr(1))
  ) <> md5(
    coalesce(cast(known.num_songs as varchar), chr(1)) || chr(2) || known.artist_id || chr(2)
    || coalesce(cast(known.artist_latitude as varchar), chr(1)) || chr(2)
    || coalesce(cast(known.artist_longitude as varchar), chr(1)) || chr(2)
    || coalesce(known.artist_location, chr(1)) || chr(2) || known.artist_name || chr(2) || known.title || chr(2)
    || coalesce(cast(known.duration as varchar), chr(1)) || chr(2) || coalesce(cast(known.year as varchar), chr(1))
  )
