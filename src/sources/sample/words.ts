/** The vocabulary of the sample data. Every name made of it is invented. */
const list = (text: string) => text.trim().split(/\s*,\s*/)

export const adjectives = list(`
  Amber, Borrowed, Brittle, Cobalt, Crooked, Distant, Drowsy, Dusty, Early, Electric, Fading, Feathered, Folded, Gentle,
  Gilded, Glass, Half-Lit, Hollow, Honest, Idle, Indigo, Ivory, Knotted, Lantern-Lit, Late, Lopsided, Lucky, Marbled,
  Mellow, Mended, Midsummer, Misty, Mossy, Northbound, Ordinary, Painted, Paper, Patient, Polite, Portable, Quilted,
  Restless, Rusted, Salted, Second-Hand, Sideways, Sleepless, Slow, Smoky, Spare, Starched, Sunken, Tangled, Tidal,
  Tin, Tremolo, Unfinished, Unhurried, Velvet, Wandering, Wayward, Weathered, Whispered, Winding, Wooden, Woolen
`)

export const nouns = list(`
  Acorn, Almanac, Anchor, Apron, Atlas, Balcony, Barometer, Bicycle, Biscuit, Bonfire, Boulevard, Cardigan, Carousel,
  Chimney, Cinder, Compass, Copper, Cricket, Daydream, Detour, Doorbell, Driftwood, Elevator, Envelope, Estuary, Ferry,
  Fern, Firefly, Fountain, Gable, Garland, Harbor, Hammock, Heron, Hinge, Horizon, Inkwell, Island, Juniper, Kettle,
  Ladder, Lagoon, Lantern, Ledger, Lighthouse, Magnet, Mailbox, Marigold, Meadow, Metronome, Mitten, Narrows, Nutmeg,
  Orchard, Paperboy, Parasol, Pebble, Pendulum, Pinwheel, Platform, Postcard, Quarry, Radiator, Raincoat, Rooftop,
  Sandbar, Satellite, Sawmill, Skylark, Snowplow, Staircase, Streetcar, Sundial, Teacup, Telegram, Thicket, Thimble,
  Trellis, Turnstile, Umbrella, Veranda, Viaduct, Wallpaper, Watermill, Weathervane, Willow, Windmill, Zephyr
`)

/** Words beyond ASCII: the event logs hold them garbled, as the real ones do. */
export const accented = list(`
  Café, Mañana, Étoile, Señal, Frío, Señora, Río, Fenêtre, Lumière, Corazón, Años, Jardín, Übermut, Höhenweg, Blåbær
`)

export const phrases = list(`
  on the Landing, after the Rain, at Platform Nine, before Breakfast, by the Canal, for Two, from the Attic,
  in the Next Room, of Our Own, on a Tuesday, out of Season, past Midnight, under the Stairs, until Thursday,
  with the Radio On, without a Map
`)

export const versions = list(`
  (Live), (Album Version), (Acoustic), (Remastered), (Demo), (Radio Edit), (Instrumental), (Reprise)
`)

export const firstNames = {
  F: list(`
    Adira, Beatrix, Clementine, Damaris, Elspeth, Fenna, Ginevra, Hattie, Ilse, Juniper, Katya, Linnea, Maren,
    Noemi, Odalys, Petra, Romy, Saskia, Thandi, Una, Viveca, Wilhelmina, Ximena, Yvaine, Zora
  `),
  M: list(`
    Anselm, Bram, Caspian, Dashiell, Emeric, Florian, Gideon, Hollis, Ignatius, Jericho, Kelvin, Leopold, Matthias,
    Niall, Osric, Phineas, Quillon, Rafferty, Soren, Tobin, Ulrich, Vikram, Wendell, Yorick, Zoltan
  `)
}

export const lastNames = list(`
  Abernathy, Birkeland, Castellan, Dunmore, Eastwick, Fairweather, Grimaldo, Hathersage, Ingersoll, Jankowiak,
  Kettering, Lindqvist, Merriweather, Norgaard, Oakhurst, Pemberley, Quennell, Ravensworth, Silvermoor, Thistlewood,
  Underhill, Vandermeer, Westerfield, Yarborough, Zielonka, Ashgrove, Brackenridge, Copperfield, Dovetail, Elderfield,
  Foxglove, Goldenrod, Hawksmoor, Ironwood, Larkspur, Marchbanks, Nightingale, Osterman, Plumstead, Rosenquist
`)

export const groups = list('Band, Collective, Ensemble, Orchestra, Quartet, Sound System, Trio, Choir')

/** Where artists come from: name, latitude, longitude. */
export const places: readonly (readonly [string, number, number])[] = [
  ['Duluth, Minnesota', 46.7861, -92.1012],
  ['Bergen, Norway', 60.3911, 5.3247],
  ['Asheville, NC', 35.5954, -82.5508],
  ['Ghent, Belgium', 51.0538, 3.7251],
  ['Valparaíso, Chile', -33.0461, -71.6197],
  ['Galway, Ireland', 53.2713, -9.0572],
  ['Marfa, TX', 30.3089, -104.0204],
  ['Dunedin, New Zealand', -45.8789, 170.5027],
  ['Leeds, England', 53.8007, -1.5492],
  ['Oaxaca, Mexico', 17.0733, -96.7267],
  ['Sapporo, Japan', 43.0619, 141.3544],
  ['Halifax, Nova Scotia', 44.6487, -63.5753],
  ['Porto', 41.1578, -8.6292],
  ['Accra, Ghana', 5.6036, -0.1871],
  ['Tucson, Arizona', 32.2227, -110.9746],
  ['Malmö, Sweden', 55.6051, 13.0037],
  ['Bristol', 51.4544, -2.5878],
  ['Missoula, MT', 46.8722, -113.9941],
  ['Leipzig, Germany', 51.3396, 12.3732],
  ['Recife, Brazil', -8.0477, -34.8771]
]

/** Where listeners live, named as the census names metropolitan areas. */
export const metros: readonly string[] = [
  'Albuquerque, NM',
  'Anchorage, AK',
  'Bangor, ME',
  'Bellingham, WA',
  'Bismarck, ND',
  'Boise City, ID',
  'Boulder, CO',
  'Burlington-South Burlington, VT',
  'Charleston-North Charleston, SC',
  'Corvallis, OR',
  'Des Moines-West Des Moines, IA',
  'Fargo, ND-MN',
  'Flagstaff, AZ',
  'Grand Rapids-Wyoming, MI',
  'Honolulu, HI',
  'Ithaca, NY',
  'Knoxville, TN',
  'Lincoln, NE',
  'Madison, WI',
  'Omaha-Council Bluffs, NE-IA',
  'Pittsburgh, PA',
  'Rapid City, SD',
  'Santa Fe, NM',
  'Spokane-Spokane Valley, WA',
  'Tulsa, OK',
  'Wichita, KS'
]

const browsers = (system: string) => [
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36`,
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/69.0.3497.100 Safari/537.36`,
  `Mozilla/5.0 (${system}; rv:63.0) Gecko/20100101 Firefox/63.0`
]

export const userAgents: readonly string[] = [
  ...browsers('Windows NT 10.0; Win64; x64'),
  ...browsers('Macintosh; Intel Mac OS X 10_14'),
  ...browsers('X11; Linux x86_64'),
  'Mozilla/5.0 (iPhone; CPU iPhone OS 12_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko'
]
