/** What a song of the sample is. */

/** A song file's object, its keys in the order of the real files. */
export interface Song {
  artist_id: string
  artist_latitude: number | null
  artist_location: string | number
  artist_longitude: number | null
  artist_name: string | number
  duration: number
  num_songs: 1
  song_id: string
  title: string | number
  year: number
}
