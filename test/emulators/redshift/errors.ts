/** The errors a client of Redshift meets, and how PostgreSQL's are turned into them. */

export interface ErrorFields {
  code: string
  message: string
  detail?: string
  hint?: string
  severity?: 'ERROR' | 'FATAL'
}

export class RedshiftError extends Error {
  readonly fields: ErrorFields

  constructor(fields: ErrorFields) {
    super(fields.message)
    this.fields = fields
  }
}

const error = (code: string, message: string, detail?: string) =>
  new RedshiftError({ code, message, ...(detail !== undefined && { detail }) })

export const syntaxError = (near: string) => error('42601', `syntax error at or near "${near}"`)

/** A command or clause of PostgreSQL that Redshift knows and refuses. */
export const notSupported = (what: string) => error('0A000', `${what} is not supported`)

/** Redshift would run it; this emulator cannot. Worded so that nobody takes it for Redshift's own refusal. */
export const notEmulated = (what: string) => error('0A000', `the Redshift emulator does not run ${what}`)

export const undefinedFunction = (name: string) =>
  new RedshiftError({
    code: '42883',
    message: `function ${name}() does not exist`,
    hint: 'No function matches the given name and argument types. You may need to add explicit type casts.'
  })

/** What is said when a query that must run on the compute nodes uses what only the leader node has. */
export const leaderOnly = (name: string) =>
  error(
    '0A000',
    'Specified types or functions (one per INFO message) not supported on Redshift tables.',
    `"${name}" runs on the leader node only.`
  )

export const inFailedTransaction = () =>
  error('25P02', 'current transaction is aborted, commands ignored until end of transaction block')

/** Redshift says the same for a statement timeout, a CANCEL and an operator. */
export const cancelled = (query: number) => error('57014', `Query (${query}) cancelled on user's request`)

export const serializationFailure = (table: number) =>
  error(
    'XX000',
    '1023',
    `Serializable isolation violation on table - ${table}, transactions forming the cycle are: 4012, 4015 (pid:1073815778)`
  )

export const deadlock = () => error('40P01', 'deadlock detected')

export interface Internal {
  message: string
  code: number
  context?: string
  query: number
  location?: string
}

/** An error from the engine's inside: XX000, with everything else in a block of text. */
export function internalError({
  message,
  code,
  context = '',
  query,
  location = 'xen_execute.cpp:0'
}: Internal) {
  const rule = '  -----------------------------------------------'
  return error(
    'XX000',
    message,
    [
      '',
      rule,
      `  error:  ${message}`,
      `  code:      ${code}`,
      `  context:   ${context}`,
      `  query:     ${query}`,
      `  location:  ${location}`,
      '  process:   padbmaster [pid=1073815778]',
      rule,
      ''
    ].join('\n')
  )
}

export const diskFull = (query: number) =>
  internalError({
    message: 'Disk Full',
    code: 1016,
    context: 'node: 0',
    query,
    location: 'fdisk_api.cpp:486'
  })

/** PostgreSQL's error as Redshift would put it. Positions are dropped: they count in the rewritten text. */
export function fromPostgres(fields: ReadonlyMap<string, string>, query: number): RedshiftError {
  const code = fields.get('C') ?? 'XX000'
  const message = fields.get('M') ?? ''
  const severity = fields.get('S') === 'FATAL' ? ('FATAL' as const) : undefined
  switch (code) {
    case '40001':
      return serializationFailure(100_423)
    case '57014':
      return cancelled(query)
    case '21000':
      if (message.startsWith('MERGE'))
        return error('XX000', 'Found multiple matches to update the same tuple.')
      break
    case '23502':
      return error('XX000', `Cannot insert a NULL value into column ${/column "([^"]*)"/.exec(message)?.[1]}`)
  }
  return new RedshiftError({
    code,
    message,
    ...(fields.has('D') && { detail: fields.get('D') }),
    ...(fields.has('H') && { hint: fields.get('H') }),
    ...(severity && { severity })
  })
}
