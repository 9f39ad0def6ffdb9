-- :'from' :'role' :'region' :'json' :'max_errors' -> nothing; `copy_options` is completed by the caller
copy load_songs (
  num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year
)
from :'from'
iam_role :'role'
region :'region'
json :'json'
maxerror :'max_errors'
compupdate off
statupdate off
