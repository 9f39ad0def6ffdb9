import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { answerParameters } from '../../src/schemas/analytics.ts'
import {
  CatalogueError,
  readBuiltinCatalogue,
  readCatalogue
} from '../../src/services/analytics-catalogue.ts'

const valid = `/*
title: Loud songs
question: Which songs are loud?
description: Louder than the rest.
parameters:
  year: { type: integer, default: 2018, minimum: 1970, maximum: 2100, description: Year of the plays. }
  level: { type: string, enum: [free, paid] }
  since: { type: date, example: 2018-11-01 }
columns:
  title: { type: string }
  plays: { type: integer, unit: plays, description: How often., example: 3 }
*/
-- a comment with :colons and a 'quote
select title, 3 as plays, ';' as "x:y"
from songs
where year = cast(:year as integer) and level = cast(:level as varchar) and day >= :since::date;
`

/** A folder with the given files; gone when the test is. */
function folderOf(t: Test, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'catalogue-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** The problems of a folder that holds this file, without the folder's own path. */
function problemsOf(t: Test, text: string, file = 'loud-songs.sql'): string[] {
  const folder = folderOf(t, { [file]: text })
  try {
    readCatalogue(folder)
  } catch (error) {
    if (error instanceof CatalogueError) return error.problems.map((text) => text.replace(`${folder}/`, ''))
    throw error
  }
  return []
}

t.test('the queries of the service', async (t) => {
  const names = readBuiltinCatalogue().map(({ query }) => query)
  t.same(names, [
    'conversions',
    'demographics',
    'engagement',
    'free-vs-paid',
    'lagging-locations',
    'lapsing-users',
    'plays-by-hour',
    'plays-by-location',
    'plays-by-month',
    'plays-by-weekday',
    'retention',
    'sessions',
    'song-coverage',
    'top-artists',
    'top-songs',
    'trending-artists',
    'trending-songs',
    'user-agents',
    'users-by-level'
  ])
})

t.test('an entry says all that its file says', async (t) => {
  const folder = folderOf(t, { 'loud-songs.sql': valid, 'README.md': 'not a query' })
  const [entry, ...others] = readCatalogue(folder)
  t.same(others, [])
  t.same(entry, {
    query: 'loud-songs',
    title: 'Loud songs',
    question: 'Which songs are loud?',
    description: 'Louder than the rest.',
    parameters: [
      {
        name: 'year',
        type: 'integer',
        minimum: 1970,
        maximum: 2100,
        description: 'Year of the plays.',
        default: 2018
      },
      { name: 'level', type: 'string', enum: ['free', 'paid'], default: null },
      { name: 'since', type: 'date', example: '2018-11-01', default: null }
    ],
    columns: [
      { name: 'title', type: 'string' },
      { name: 'plays', type: 'integer', unit: 'plays', description: 'How often.', example: 3 }
    ],
    sql: valid.slice(valid.indexOf('-- a comment')).trim(),
    statement: {
      name: 'analytics/loud-songs.sql',
      text: `select title, 3 as plays, ';' as "x:y"
from songs
where year = cast($1 as integer) and level = cast($2 as varchar) and day >= $3::date`,
      params: ['year', 'level', 'since'],
      literals: []
    },
    querystring: {
      type: 'object',
      additionalProperties: false,
      properties: {
        year: {
          type: 'integer',
          minimum: 1970,
          maximum: 2100,
          description: 'Year of the plays.',
          default: 2018,
          examples: [2018]
        },
        level: { type: 'string', maxLength: 500, pattern: '^[^\\u0000]*$', enum: ['free', 'paid'] },
        since: { type: 'string', format: 'date', examples: ['2018-11-01'] },
        ...answerParameters
      }
    }
  })
})

t.test('a query without parameters takes none', async (t) => {
  const text = '/*\ntitle: T\nquestion: Q\ncolumns:\n  a: { type: integer }\n*/\nselect 1 as a'
  const [entry] = readCatalogue(folderOf(t, { 'one.sql': text }))
  t.same(entry?.parameters, [])
  t.same(entry?.querystring, { type: 'object', properties: answerParameters, additionalProperties: false })
})

t.test('an integer without bounds has those of INTEGER', async (t) => {
  const [entry] = readCatalogue(folderOf(t, { 'a.sql': valid.replace(', minimum: 1970, maximum: 2100', '') }))
  t.match(entry?.querystring, { properties: { year: { minimum: -2147483648, maximum: 2147483647 } } })
})

t.test('every problem of every file comes at once', async (t) => {
  const folder = folderOf(t, { 'a.sql': valid.replace('title: Loud songs\n', ''), 'b.sql': 'select 1' })
  t.throws(() => readCatalogue(folder), {
    name: 'CatalogueError',
    message: `The canned queries are not valid:
  - ${folder}/a.sql:1: needs title
  - ${folder}/b.sql:1: the file must start with its header, a comment /* ... */`
  })
})

t.test('a folder that is not there', async (t) => {
  t.throws(() => readCatalogue('/nowhere/queries'), {
    message: 'The canned queries are not valid:\n  - /nowhere/queries cannot be read (ENOENT)'
  })
})

/** What is wrong; what is replaced in the valid file, by what; the problems that are reported. */
const cases: [name: string, from: string, to: string, problems: string[]][] = [
  [
    'a name with digits',
    '  since:',
    '  since2:',
    [
      '8: parameters.since2 must be named in lower-case letters and underscores',
      '8: parameters.since2 is not used by the statement',
      "16: :since is not declared in the header's parameters"
    ]
  ],
  [
    'a name that the endpoint keeps',
    '  since:',
    '  format:',
    [
      '8: parameters.format has a name that the results endpoint keeps for itself',
      '8: parameters.format is not used by the statement',
      "16: :since is not declared in the header's parameters"
    ]
  ],
  [
    'a parameter that is not declared',
    '  level: { type: string, enum: [free, paid] }\n',
    '',
    ["15: :level is not declared in the header's parameters"]
  ],
  [
    'a parameter that is not used',
    'cast(:level as varchar)',
    "'free'",
    ['7: parameters.level is not used by the statement']
  ],
  [
    'a parameter misspelt in SQL',
    ':level',
    ':Level',
    [
      '12: :Level must be in lower-case letters and underscores',
      '7: parameters.level is not used by the statement'
    ]
  ],
  [
    'no statement',
    valid.slice(valid.indexOf('*/') + 2),
    '\n-- nothing\n',
    ['12: there is no statement below the header']
  ],
  ['two statements', 'select title', 'select 1; select title', ['12: the file must hold one statement']],
  ['a statement that writes', 'select title', 'delete title', ['12: the statement must be a SELECT']],
  [
    'a literal',
    ':since::date',
    ":'since'",
    ["12: :'since' must be a parameter, :since", '8: parameters.since is not used by the statement']
  ]
]

for (const [name, from, to, problems] of cases) {
  t.test(name, async (t) => {
    t.ok(valid.includes(from), 'the case changes the file')
    t.same(
      problemsOf(t, valid.replace(from, to)),
      problems.map((problem) => `loud-songs.sql:${problem}`)
    )
  })
}

for (const file of ['Loud-songs.sql', 'loud_songs.sql', 'loud-2.sql', '-loud.sql']) {
  t.test(`a file called ${file}`, async (t) => {
    t.same(problemsOf(t, valid, file), [`${file}:1: the file must be named in kebab-case: top-songs.sql`])
  })
}
