/**
 * The odd songs of the sample: what the real files hold that trips a loader or a join up.
 * They stand among the popular songs, so that each of them is also played.
 */
import type { Song } from './song.ts'

export interface Curiosity {
  song: Partial<Song>
  /** What the event logs call the title, where they differ from the song file. */
  heard?: string
}

const twins = { artist_id: 'ARTWINS11E81B90A01', artist_name: 'The Marigold Twins' }
const shapeshifter = 'ARSHAPE11E81B90A02'

export const curiosities: readonly Curiosity[] = [
  // Numbers where text belongs.
  { song: { title: 47 } },
  { song: { title: 7.5 } },
  { song: { title: 2049, artist_name: 606 } },
  { song: { artist_name: 1897 } },
  { song: { artist_location: 97209 } },

  // One artist under several names, places and coordinates.
  {
    song: {
      artist_id: shapeshifter,
      artist_name: 'Odalys Thistlewood',
      artist_location: '',
      artist_latitude: null,
      artist_longitude: null,
      year: 2011
    }
  },
  {
    song: {
      artist_id: shapeshifter,
      artist_name: 'Odalys Thistlewood / The Tin Orchard',
      artist_location: 'Tacoma, WA',
      artist_latitude: 47.2529,
      artist_longitude: -122.4443,
      year: 2004
    }
  },
  {
    song: {
      artist_id: shapeshifter,
      artist_name: 'Odalys Thistlewood feat. Gideon Foxglove',
      artist_location: 'Tacoma, Washington',
      artist_latitude: null,
      artist_longitude: null,
      year: 0
    }
  },

  // One title, one artist name, several songs: told apart by duration, by song_id when that ties too.
  { song: { ...twins, title: 'Mirror of the Mirror', duration: 201.40363 } },
  { song: { ...twins, title: 'Mirror of the Mirror', duration: 345.99138 } },
  { song: { artist_name: 'Kettle & Heron', title: 'Two of Everything', duration: 188.21179 } },
  { song: { artist_name: 'Kettle & Heron', title: 'Two of Everything', duration: 190.09261 } },
  { song: { artist_name: 'Ilse Underhill', title: 'Same Again, Please', duration: 240.01587 } },
  { song: { artist_name: 'Ilse Underhill', title: 'Same Again, Please', duration: 240.01587 } },

  // Trailing blanks: equal on Redshift, different elsewhere.
  { song: { title: 'She Left the Porch Light On ' }, heard: 'She Left the Porch Light On' },
  { song: { title: 'Crooked Compass, Fair Weather' }, heard: 'Crooked Compass, Fair Weather ' },

  // Characters that break quoting, delimiters and terminals.
  { song: { title: 'Don\u0019t Wait Up for the Ferry' } },
  { song: { title: 'The "Borrowed" Umbrella' } },
  { song: { title: "Either / Or \\ Neither, Isn't It?" } },
  { song: { title: 'A | B, Side\tC', artist_location: 'Lake Wobble,\tMN' } },
  { song: { artist_location: 'Upstairs\r\nGable Street 4' } },
  {
    song: {
      artist_name: 'Low Tide Ledger',
      artist_location:
        '<a href="https://bands.example/low-tide-ledger" onmousedown="return false;">Low Tide, <b>OR</b></a>'
    }
  },
  { song: { title: 'Lost \ufffd Found', artist_name: '夜の路面電車' } },
  {
    song: {
      title: 'Everybody Who Was There (Extended Reunion Version)',
      artist_name:
        'The Lantern-Lit Narrows Orchestra with Wilhelmina Brackenridge, Señora Übermut, the Copper Kettle Choir, ' +
        'Rafferty Copperfield & the Half-Lit Barometers, featuring Zoltan Nightingale and the Velvet Viaduct Ensemble'
    }
  }
]

/** Plays of songs outside the catalogue that are odd in themselves: artist and title. */
export const strayPlays: readonly (readonly [string, string])[] = [
  ['606', 'Monorail'],
  ['Paper Barometer', '4711'],
  ['Elspeth / Wendell', 'Veranda "Nocturne" (Live)'],
  ['Skylark\u0019s Ladder', 'Tremolo\tTuesday']
]
