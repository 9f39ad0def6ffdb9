/** SET, RESET and SHOW: Redshift's own settings live in PostgreSQL under a prefix, and roll back like all others. */
import { notSupported, RedshiftError } from './errors.ts'
import type { Plan } from './plan.ts'
import type { TokenReader } from './token-reader.ts'
import { isSymbol, quoteName, quoteText, type Token } from './tokens.ts'

const ofPostgres = [
  'search_path',
  'statement_timeout',
  'datestyle',
  'extra_float_digits',
  'application_name',
  'timezone'
]

/** What Redshift has on top, with its default. */
export const ofRedshift: Readonly<Record<string, string>> = {
  analyze_threshold_percent: '10',
  describe_field_name_in_uppercase: 'off',
  enable_case_sensitive_identifier: 'off',
  enable_numeric_rounding: 'on',
  enable_result_cache_for_session: 'on',
  error_on_nondeterministic_update: 'off',
  json_serialization_enable: 'off',
  query_group: 'unset',
  wlm_query_slot_count: '1'
}

/** Answered without asking PostgreSQL, which would tell its own. */
const fixed: Readonly<Record<string, string>> = {
  server_version: '8.0.2',
  server_encoding: 'UNICODE',
  client_encoding: 'UNICODE',
  is_superuser: 'on',
  transaction_isolation: 'serializable'
}

const unrecognized = (name: string) =>
  new RedshiftError({ code: '42704', message: `unrecognized configuration parameter "${name}"` })

const invalid = (message: string) => new RedshiftError({ code: '22023', message })

export const settingInPostgres = (name: string): string => (name in ofRedshift ? `redshift.${name}` : name)

export function readSet(reader: TokenReader): Plan {
  if (reader.accept('session', 'characteristics')) return { kind: 'nothing', tag: 'SET' }
  const isLocal = reader.accept('local')
  if (!isLocal) reader.accept('session')
  if (reader.accept('session', 'authorization') || reader.accept('authorization')) {
    throw notSupported('SET SESSION AUTHORIZATION')
  }
  const isZone = reader.accept('time', 'zone')
  const name = isZone ? 'timezone' : settingName(reader)
  if (!isZone && !reader.acceptSymbol('=')) reader.expect('to')
  const values = readValues(reader)
  const scope = isLocal ? 'local ' : ''
  if (values === undefined) return { kind: 'relay', sql: `set ${scope}${settingInPostgres(name)} to default` }
  if (name === 'client_encoding') {
    if (!/^(?:utf-?8|unicode)$/i.test(values[0] ?? '')) throw invalid(`invalid value for parameter "${name}"`)
    return { kind: 'nothing', tag: 'SET' }
  }
  if (!(name in ofRedshift) && !ofPostgres.includes(name)) throw unrecognized(name)
  if (name === 'statement_timeout' && !/^\d+$/.test(values[0] ?? '')) {
    throw invalid('parameter "statement_timeout" requires an integer value')
  }
  const list = values
    .map((value) => (name === 'search_path' ? quoteName(value) : quoteText(value)))
    .join(', ')
  return { kind: 'relay', sql: `set ${scope}${settingInPostgres(name)} to ${list}` }
}

function settingName(reader: TokenReader): string {
  let name = reader.name().value
  while (reader.acceptSymbol('.')) name += `.${reader.name().value}`
  return name
}

/** The values of a SET; undefined for DEFAULT. */
function readValues(reader: TokenReader): string[] | undefined {
  if (reader.accept('default')) return undefined
  const values: string[] = []
  do {
    const isNegative = reader.acceptSymbol('-')
    const token = reader.next()
    if (token.kind === 'param')
      throw new RedshiftError({ code: '42601', message: `syntax error at or near "$1"` })
    if (!isValue(token)) reader.fail()
    values.push(isNegative ? `-${token.value}` : token.value)
  } while (reader.acceptSymbol(','))
  if (!reader.done()) reader.fail()
  return values
}

const isValue = (token: Token): boolean => ['word', 'quoted', 'string', 'number'].includes(token.kind)

export function readReset(reader: TokenReader): Plan {
  const name = settingName(reader)
  if (name !== 'all' && !(name in ofRedshift) && !ofPostgres.includes(name)) throw unrecognized(name)
  return { kind: 'relay', sql: `reset ${settingInPostgres(name)}` }
}

export function readShow(reader: TokenReader): Plan {
  const name = settingName(reader)
  if (!reader.done() || isSymbol(reader.peek(), ',')) reader.fail()
  const value = fixed[name]
  if (value !== undefined) {
    return { kind: 'relay', sql: `select ${quoteText(value)}::varchar as ${quoteName(name)}` }
  }
  if (name in ofRedshift) {
    return { kind: 'relay', sql: `select current_setting('redshift.${name}')::varchar as ${quoteName(name)}` }
  }
  if (!ofPostgres.includes(name)) throw unrecognized(name)
  return { kind: 'relay', sql: `show ${name}` }
}
