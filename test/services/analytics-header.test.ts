import t from 'tap'
import { parseHeader } from '../../src/services/analytics-header.ts'

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

t.test('a valid header', async (t) => {
  const { header, findings, lineOf } = parseHeader(valid)
  t.same(findings, [])
  t.same(header, {
    title: 'Loud songs',
    question: 'Which songs are loud?',
    description: 'Louder than the rest.',
    parameters: {
      year: {
        type: 'integer',
        default: 2018,
        minimum: 1970,
        maximum: 2100,
        description: 'Year of the plays.'
      },
      level: { type: 'string', enum: ['free', 'paid'] },
      since: { type: 'date', example: '2018-11-01' }
    },
    columns: {
      title: { type: 'string' },
      plays: { type: 'integer', unit: 'plays', description: 'How often.', example: 3 }
    }
  })
  t.equal(lineOf(['parameters', 'level', 'type']), 7)
  t.equal(lineOf(['parameters', 'month', 'type']), 5, 'what is not there is where it would be')
})

const year = 'type: integer, default: 2018, minimum: 1970, maximum: 2100'

/** What is wrong; what is replaced in the valid file, by what; the problems that are reported. */
const cases: [name: string, from: string, to: string, problems: string[]][] = [
  [
    'no header',
    valid.slice(0, valid.indexOf('*/') + 2),
    '',
    ['1: the file must start with its header, a comment /* ... */']
  ],
  [
    'a header that does not open the file',
    '/*\n',
    '-- first\n/*\n',
    ['1: the file must start with its header, a comment /* ... */']
  ],
  ['an empty header', valid.slice(2, valid.indexOf('*/')), '', ['1: must be object']],
  [
    'YAML that cannot be read',
    'title: Loud songs',
    'title: "Loud',
    ['12: the header is not valid YAML: Missing closing "quote']
  ],
  [
    'a key given twice',
    'description: Louder',
    'title: Louder',
    ['4: the header is not valid YAML: Map keys must be unique']
  ],
  [
    'an alias to nothing',
    'title: Loud songs',
    'title: *loud',
    ['1: the header is not valid YAML: Unresolved alias (the anchor must be set before the alias): loud']
  ],
  [
    'two keys missing',
    'title: Loud songs\nquestion: Which songs are loud?\n',
    '',
    ['1: needs title and question']
  ],
  ['an empty title', 'title: Loud songs', "title: ''", ['2: title must NOT have fewer than 1 characters']],
  [
    'a misspelt key',
    'description: Louder',
    'descripton: Louder',
    ['4: descripton is not a key of the header']
  ],
  [
    'a misspelt key of a parameter',
    'minimum: 1970',
    'min: 1970',
    ['6: parameters.year.min is not a key of the header']
  ],
  [
    'an unknown parameter type',
    'type: date, example',
    'type: day, example',
    ['8: parameters.since.type must be one of integer, number, string, boolean, date']
  ],
  [
    'an unknown column type',
    'title: { type: string }',
    'title: { type: text }',
    ['10: columns.title.type must be one of string, integer, number, boolean, date, timestamp']
  ],
  ['a parameter without type', 'type: date, ', '', ['8: parameters.since needs type']],
  [
    'a column name in upper case',
    '  title: { type',
    '  Title: { type',
    ['10: columns.Title must be named in lower-case letters, digits and underscores']
  ],
  [
    'a default below minimum',
    year,
    year.replace('2018', '1969'),
    ['6: parameters.year.default is 1969: must be >= 1970']
  ],
  [
    'a default above maximum',
    year,
    year.replace('2018', '2101'),
    ['6: parameters.year.default is 2101: must be <= 2100']
  ],
  [
    'a default of another type',
    year,
    year.replace('2018', '"2018"'),
    ['6: parameters.year.default is "2018": must be integer']
  ],
  [
    'a default that is not accepted',
    'enum: [free, paid]',
    'enum: [free, paid], default: gold',
    ['7: parameters.level.default is "gold": must be one of free, paid']
  ],
  [
    'a default that is no date',
    'example: 2018-11-01',
    'default: 2018-11-31',
    ['8: parameters.since.default is "2018-11-31": must match format "date"']
  ],
  [
    'a bound that is no integer',
    'minimum: 1970',
    'minimum: 1970.5',
    ['6: parameters.year.minimum is 1970.5: must be integer']
  ],
  [
    'bounds the wrong way round',
    year,
    'type: integer, minimum: 9, maximum: 1',
    ['6: parameters.year.minimum is greater than maximum']
  ],
  [
    'bounds of a string',
    'enum: [free, paid]',
    'maximum: 9',
    ['7: parameters.level.maximum is for integer and number only']
  ],
  [
    'an accepted value of another type',
    'enum: [free, paid]',
    'enum: [free, 1]',
    ['7: parameters.level.enum is 1: must be string']
  ],
  [
    'a parameter example out of bounds',
    year,
    `${year}, example: 1`,
    ['6: parameters.year.example is 1: must be >= 1970']
  ],
  [
    'a column example of another type',
    'example: 3',
    'example: three',
    ['11: columns.plays.example is "three": must be integer']
  ],
  [
    'no columns',
    valid.slice(valid.indexOf('columns:'), valid.indexOf('*/')),
    'columns: {}\n',
    ['9: columns must NOT have fewer than 1 properties']
  ]
]

for (const [name, from, to, problems] of cases) {
  t.test(name, async (t) => {
    t.ok(valid.includes(from), 'the case changes the file')
    const { findings } = parseHeader(valid.replace(from, to))
    t.same(
      findings.map(({ line, message }) => `${line}: ${message}`),
      problems
    )
  })
}
