-- Gives the text of `source` its types and says what is wrong where that fails.
insert into load_songs_raw
select
  object_no,
  line_number,
  num_songs_number,
  artist_id,
  artist_latitude_number,
  artist_longitude_number,
  nullif(artist_location, ''),
  artist_name,
  song_id,
  title,
  duration_number,
  year_number,
  case
    when nullif(song_id, '') is null then 'missing_value:song_id'
    when nullif(artist_id, '') is null then 'missing_value:artist_id'
    when title is null then 'missing_value:title'
    when artist_name is null then 'missing_value:artist_name'
    when is_no_bigint(num_songs, num_songs_number) then 'invalid_type:num_songs'
    when is_no_double(artist_latitude, artist_latitude_number) then 'invalid_type:artist_latitude'
    when is_no_double(artist_longitude, artist_longitude_number) then 'invalid_type:artist_longitude'
    when is_no_double(duration, duration_number) then 'invalid_type:duration'
    when is_no_bigint(year, year_number) then 'invalid_type:year'
    when strlen(title) > 4096 then 'value_too_long:title'
    when strlen(artist_name) > 4096 then 'value_too_long:artist_name'
    when strlen(artist_location) > 4096 then 'value_too_long:artist_location'
    when strlen(song_id) > 256 then 'value_too_long:song_id'
    when strlen(artist_id) > 256 then 'value_too_long:artist_id'
    when contains(concat(artist_id, artist_location, artist_name, song_id, title), chr(0)) then 'invalid_character:'
  end
from (
  select
    *,
    text_to_double(artist_latitude) as artist_latitude_number,
    text_to_double(artist_longitude) as artist_longitude_number,
    text_to_double(duration) as duration_number,
    text_to_bigint(num_songs) as num_songs_number,
    text_to_bigint(year) as year_number
  from source
)
