-- Gives the text of `source` its types and says what is wrong where that fails.
insert into load_songs_raw
select
  object_no,
  line_number,
  text_to_bigint(num_songs),
  artist_id,
  text_to_double(artist_latitude),
  text_to_double(artist_longitude),
  nullif(artist_location, ''),
  artist_name,
  song_id,
  title,
  text_to_double(duration),
  text_to_bigint(year),
  case
    when nullif(song_id, '') is null then 'missing_value:song_id'
    when nullif(artist_id, '') is null then 'missing_value:artist_id'
    when title is null then 'missing_value:title'
    when artist_name is null then 'missing_value:artist_name'
    when is_no_bigint(num_songs) then 'invalid_type:num_songs'
    when is_no_double(artist_latitude) then 'invalid_type:artist_latitude'
    when is_no_double(artist_longitude) then 'invalid_type:artist_longitude'
    when is_no_double(duration) then 'invalid_type:duration'
    when is_no_bigint(year) then 'invalid_type:year'
    when strlen(title) > 4096 then 'value_too_long:title'
    when strlen(artist_name) > 4096 then 'value_too_long:artist_name'
    when strlen(artist_location) > 4096 then 'value_too_long:artist_location'
    when strlen(song_id) > 256 then 'value_too_long:song_id'
    when strlen(artist_id) > 256 then 'value_too_long:artist_id'
    when contains(concat(artist_id, artist_location, artist_name, song_id, title), chr(0)) then 'invalid_character:'
  end
from source
