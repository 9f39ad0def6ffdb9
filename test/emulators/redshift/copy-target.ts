/** The table that a COPY loads into: its columns, and the numbers of its identity. */
import type { Backend } from './backend.ts'
import type { CopyStatement } from './copy-statement.ts'
import type { Column } from './copy-values.ts'
import { RedshiftError } from './errors.ts'
import { quoteName, quoteText } from './tokens.ts'

export interface Target {
  id: number
  /** To be loaded, in the order of the statement's list or of the table. */
  columns: Column[]
  /** The column that is numbered by the load. */
  identity: Identity | undefined
  /** The statement that takes the rows. */
  sql: string
}

export interface Identity {
  sequence: string
  seed: bigint
  step: bigint
}

const types: Readonly<Record<string, Column['type']>> = {
  varchar: 'varchar',
  text: 'varchar',
  bpchar: 'char',
  int2: 'int2',
  int4: 'int4',
  int8: 'int8',
  float4: 'float4',
  float8: 'float8',
  numeric: 'numeric',
  bool: 'bool',
  date: 'date',
  timestamp: 'timestamp'
}

interface Known extends Identity {
  column: Column
  /** `a` where values are always drawn, `d` where they may be given, empty for other columns. */
  kind: string
}

export async function describeTarget(
  { table, columns: wanted }: CopyStatement,
  backend: Backend
): Promise<Target> {
  const described = await backend.rows(
    `select a.attrelid, a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity,
       s.seqrelid::regclass, s.seqstart, s.seqincrement
     from pg_attribute a join pg_type t on t.oid = a.atttypid
     left join pg_sequence s on a.attidentity <> ''
       and s.seqrelid = pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass
     where a.attrelid = to_regclass(${quoteText(table.sql)}) and a.attnum > 0 and not a.attisdropped
     order by a.attnum`
  )
  if (described.length === 0) {
    throw new RedshiftError({ code: '42P01', message: `Cannot COPY into nonexistent table ${table.name}` })
  }
  const known = described.map(readColumn)
  const names = wanted ?? known.filter(({ kind }) => kind === '').map(({ column }) => column.name)
  const columns = names.map((name) => {
    const found = known.find(({ column }) => column.name === name)
    if (found === undefined) {
      throw new RedshiftError({
        code: '42703',
        message: `column "${name}" of relation "${table.name}" does not exist`
      })
    }
    if (found.kind === 'a') {
      throw new RedshiftError({
        code: '0A000',
        message: `cannot set an identity column to a value: "${name}"`
      })
    }
    return found.column
  })
  const identity = known.find(({ kind, column }) => kind !== '' && !columns.includes(column))
  const list = [...columns, ...(identity === undefined ? [] : [identity.column])]
  return {
    id: Number(described[0]?.[0]),
    columns,
    identity,
    sql: `copy ${table.sql} (${list.map(({ name }) => quoteName(name)).join(', ')}) from stdin`
  }
}

function readColumn(described: (string | null)[]): Known {
  const [, name, type, typmod, notNull, kind, sequence, seed, step] = described
  const size = Number(typmod) - 4
  return {
    column: {
      name: name as string,
      type: types[type as string] as Column['type'],
      length: size >= 0 && type !== 'numeric' ? size : undefined,
      precision: size >= 0 ? size >> 16 : 38,
      scale: size >= 0 ? size & 0xffff : 0,
      isNotNull: notNull === 't'
    },
    kind: kind ?? '',
    sequence: sequence ?? '',
    seed: BigInt(seed ?? 0),
    step: BigInt(step ?? 1)
  }
}

export interface Numbering {
  next(): string
  /** Lets the sequence go on after the last number. */
  finish(): Promise<void>
}

/** Numbers as slices draw them: unique, with gaps, and in no order. */
export async function startNumbering(
  { sequence, seed, step }: Identity,
  backend: Backend
): Promise<Numbering> {
  const move = async (value: string) => {
    const rows = await backend.rows(`select emulator.move_identity(${quoteText(sequence)}, ${value})`)
    return BigInt(rows[0]?.[0] ?? 0)
  }
  let place = ((await move('null')) - seed) / step
  return {
    next() {
      const value = seed + step * ((place / 8n) * 16n + 8n + (((place % 8n) * 5n) % 8n))
      place += 1n
      return String(value)
    },
    finish: async () => void (await move(String(seed + step * place)))
  }
}
