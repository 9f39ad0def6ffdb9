/** Records as the sources hold them: events, songs, and lines of them. */

export type Json = Record<string, unknown>

/** An event as the logs hold it: Ida on the free level plays Alpha by Ann at 2018-11-01 21:00:00.796. */
export const event = (changes: Json = {}): Json => ({
  ...{ artist: 'Ann', auth: 'Logged In', firstName: 'Ida', gender: 'F', itemInSession: 0, lastName: 'Lie' },
  ...{ length: 200.5, level: 'free', location: 'Oslo', method: 'PUT', page: 'NextSong' },
  ...{ registration: 1540919166796, sessionId: 1, song: 'Alpha', status: 200, ts: 1541106000796 },
  ...{ userAgent: '"Mozilla/5.0"', userId: '1' },
  ...changes
})

/** A song as the catalogue holds it: S1, Alpha by Ann. */
export const song = (changes: Json = {}): Json => ({
  ...{ num_songs: 1, artist_id: 'A1', artist_latitude: null, artist_longitude: null, artist_location: '' },
  ...{ artist_name: 'Ann', song_id: 'S1', title: 'Alpha', duration: 200.5, year: 2001 },
  ...changes
})

/** Newline-delimited JSON without an end of the last line, as in the real data. */
export const lines = (...records: Json[]): string =>
  records.map((record) => JSON.stringify(record)).join('\n')
