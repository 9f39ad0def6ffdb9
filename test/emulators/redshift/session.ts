/** One client after its login: reads its messages, one after another, until it goes. */
import type { Backend, BoundStatement } from './backend.ts'
import { type ErrorFields, RedshiftError, syntaxError } from './errors.ts'
import type { Login } from './login.ts'
import { MAX_PARAMETERS } from './parameters.ts'
import type { Plan } from './plan.ts'
import {
  bindComplete,
  closeComplete,
  emptyQuery,
  errorResponse,
  type Message,
  noData,
  noParameters,
  parseComplete,
  readFields,
  readParts,
  readyForQuery
} from './protocol.ts'
import { Disconnected, type Runner, type Wire } from './runner.ts'
import { splitStatements, type Token, tokenize } from './tokens.ts'
import { refuseBinds, type TranslateOptions, translate } from './translate.ts'

/** Longer statements are refused, in bytes. */
const MAX_STATEMENT_BYTES = 16 * 1024 * 1024

export interface SessionOptions extends Omit<TranslateOptions, 'query'> {
  login: Login
  backend: Backend
  createRunner(send: (...messages: Buffer[]) => void): Runner
  nextQuery(): number
  record(text: string): void
  cancelSession(pid: number): boolean
}

interface Prepared {
  text: string
  tokens: Token[]
  types: number[]
}

interface Portal extends Prepared {
  plan: Plan
  query: number
  bind: Buffer
  /** What PostgreSQL says its rows are, once it has been asked. */
  description: Message | undefined
}

const ignore = () => {}

const unknownStatement = (name: string) =>
  new RedshiftError({ code: '26000', message: `prepared statement "${name}" does not exist` })

/** Serves the client until one of the two goes. */
export async function serveSession(options: SessionOptions): Promise<void> {
  const { backend, login } = options
  const { socket, reader } = login
  const send = (...messages: Buffer[]) => void (socket.writable && socket.write(Buffer.concat(messages)))
  const runner = options.createRunner(send)
  const statements = new Map<string, Prepared>()
  const portals = new Map<string, Portal>()
  // After an error the extended protocol skips everything up to Sync.
  let isSkipping = false
  let keepsCase = false

  /** Passes a backend's message on; notices meant for the emulator stop here, and so do settings it hides. */
  function pass(received: Message): void {
    if (received.type === 'N') {
      const fields = readFields(received.body)
      if (fields.get('C') === 'RSCAN') return void options.cancelSession(Number(fields.get('M')))
    }
    if (
      received.type === 'S' &&
      !/^(?:client_encoding|DateStyle|TimeZone)$/.test(readParts(received.body).text())
    )
      return
    send(received.raw)
  }

  function sendError(error: unknown): void {
    const fields: ErrorFields =
      error instanceof RedshiftError
        ? error.fields
        : { code: 'XX000', message: `the emulator failed: ${error}` }
    send(errorResponse(fields))
    if (fields.severity === 'FATAL') throw new Disconnected()
  }

  function read(text: string): Token[] {
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_STATEMENT_BYTES) {
      throw new RedshiftError({
        code: '54000',
        message: `Statement is too large. Statement Size: ${bytes} bytes. Maximum Allowed: ${MAX_STATEMENT_BYTES} bytes`
      })
    }
    return tokenize(text, { keepCase: keepsCase })
  }

  async function runPlan(plan: Plan, text: string, query: number, wire: Wire): Promise<void> {
    await runner.run(plan, text, query, wire)
    // The setting rolls back like any other.
    const isSetting = plan.kind === 'relay' && /^(?:set|reset) /.test(plan.sql)
    if (isSetting || (keepsCase && plan.kind === 'rollback')) await readCase()
  }

  async function readCase(): Promise<void> {
    const rows = await backend.rows(`select current_setting('redshift.enable_case_sensitive_identifier')`)
    keepsCase = /^(?:on|true|yes|1)$/i.test(rows[0]?.[0] ?? '')
  }

  async function simpleQuery(text: string): Promise<void> {
    options.record(text)
    try {
      const parts = splitStatements(read(text))
      if (parts.length === 0) send(emptyQuery)
      // Several statements are one transaction.
      const isBlock =
        parts.length > 1 && backend.status === 'I' && !/^(?:begin|start)$/.test(parts[0]?.[0]?.value ?? '')
      if (isBlock) await backend.rows('begin')
      try {
        for (const tokens of parts) await runSimple(tokens, text)
        if (isBlock && backend.status === 'T') await backend.rows('commit')
      } catch (error) {
        if (!(error instanceof Disconnected) && isBlock) await backend.rows('rollback')
        throw error
      }
    } catch (error) {
      if (error instanceof Disconnected) throw error
      await backend.fail()
      sendError(error)
    }
    send(readyForQuery(backend.status))
  }

  function runSimple(tokens: Token[], text: string): Promise<void> {
    const query = options.nextQuery()
    const plan = translate(tokens, { ...options, query })
    return runPlan(plan, text, query, {
      run: (sql, isMuted) => backend.relay(sql, query, isMuted ? ignore : pass)
    })
  }

  function parse(body: Buffer): void {
    const parts = readParts(body)
    const [name, text] = [parts.text(), parts.text()]
    const types = Array.from({ length: parts.int16() }, () => parts.int32())
    options.record(text)
    const [tokens = [], ...more] = splitStatements(read(text))
    if (more.length > 0) {
      throw new RedshiftError({
        code: '42601',
        message: 'cannot insert multiple commands into a prepared statement'
      })
    }
    // Wrong statements are refused now, not when they are run.
    if (tokens.length > 0) translate(tokens, { ...options, query: options.nextQuery() })
    statements.set(name, { text, tokens, types })
    send(parseComplete)
  }

  function bind(body: Buffer): void {
    const parts = readParts(body)
    const [portal, name] = [parts.text(), parts.text()]
    const rest = Buffer.from(parts.rest())
    const statement = statements.get(name)
    if (statement === undefined) {
      throw unknownStatement(name)
    }
    const values = readParts(rest)
    const formats = values.int16()
    for (let skipped = 0; skipped < formats; skipped += 1) values.int16()
    const count = values.int16()
    // The driver counts beyond what fits.
    if (formats < 0 || count < 0) {
      throw new RedshiftError({ code: '42P02', message: `there is no parameter $${-(MAX_PARAMETERS + 1)}` })
    }
    const query = options.nextQuery()
    const plan: Plan =
      statement.tokens.length > 0
        ? translate(statement.tokens, { ...options, query })
        : { kind: 'nothing', tag: '' }
    refuseBinds(plan, count)
    portals.set(portal, { ...statement, plan, query, bind: rest, description: undefined })
    send(bindComplete)
  }

  const portalOf = (name: string): Portal => {
    const portal = portals.get(name)
    if (portal !== undefined) return portal
    throw new RedshiftError({ code: '34000', message: `portal "${name}" does not exist` })
  }

  /** What PostgreSQL runs of it; undefined where the emulator answers by itself. */
  const boundSql = ({ plan, types, bind: bound }: Portal): BoundStatement | undefined =>
    plan.kind === 'relay' ? { sql: plan.sql, types, bind: bound } : undefined

  async function describe(body: Buffer): Promise<void> {
    const parts = readParts(body.subarray(1))
    const name = parts.text()
    if (String.fromCharCode(body[0] as number) === 'S') {
      const statement = statements.get(name)
      if (statement === undefined) throw unknownStatement(name)
      const plan = translate(statement.tokens, { ...options, query: 0 })
      if (plan.kind !== 'relay') return send(noParameters, noData)
      for (const received of await backend.describe(plan.sql, statement.types, 0)) send(received.raw)
      return
    }
    const portal = portalOf(name)
    const bound = boundSql(portal)
    if (
      bound === undefined ||
      /^(?:insert|update|delete|merge|set|reset|vacuum|analyze)\b/i.test(bound.sql)
    ) {
      send(noData)
      return
    }
    if (backend.status !== 'E') portal.description = await backend.open(bound, portal.query, pass)
    send(portal.description?.raw ?? noData)
  }

  /** Before the statement runs, what was opened to describe it is closed: the emulator may have to look first. */
  async function execute(body: Buffer): Promise<void> {
    const portal = portalOf(readParts(body).text())
    if (portal.tokens.length === 0) return send(emptyQuery)
    await backend.sync()
    const wire: Wire = {
      async run(sql, isMuted) {
        const types = portal.types
        const opened = await backend.open({ sql, types, bind: portal.bind }, portal.query, pass)
        // The rows are as described, or the client would misread them.
        if (portal.description !== undefined && !opened.raw.equals(portal.description.raw)) {
          throw new RedshiftError({ code: '0A000', message: 'cached plan must not change result type' })
        }
        await backend.execute(portal.query, isMuted ? ignore : pass)
      }
    }
    await runPlan(portal.plan, portal.text, portal.query, wire)
  }

  const handlers: Readonly<Record<string, (body: Buffer) => Promise<void> | void>> = {
    P: parse,
    B: bind,
    D: describe,
    E: execute,
    C: () => send(closeComplete),
    H: () => {}
  }

  async function extended({ type, body }: Message): Promise<void> {
    const handle = handlers[type]
    if (handle === undefined) throw syntaxError(type)
    if (isSkipping) return
    try {
      await handle(body)
    } catch (error) {
      if (error instanceof Disconnected) throw error
      isSkipping = true
      await backend.fail()
      sendError(error)
    }
  }

  for (;;) {
    const received = await reader.readMessage()
    if (received === undefined || received.type === 'X') return
    if (received.type === 'Q') await simpleQuery(readParts(received.body).text())
    else if (received.type === 'S') {
      isSkipping = false
      await backend.sync()
      send(readyForQuery(backend.status))
    } else await extended(received)
  }
}
