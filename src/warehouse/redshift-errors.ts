/** The one place that reads Redshift's errors: nearly all of them are XX000, so the text decides. */
import { ServiceError } from '../errors.ts'

interface DatabaseError {
  code?: string
  message?: string
  detail?: string
}

type Make = (message: string) => ServiceError

const states: [RegExp, Make][] = [
  [
    /^28/,
    () =>
      new ServiceError(
        'warehouse_login_failed',
        'Redshift refused the login. Check user and password, or the permission to get cluster credentials; five wrong passwords lock the user.'
      )
  ],
  [
    /^(42P01|3F000)$/,
    () =>
      new ServiceError('tables_not_created', 'The tables do not exist yet. Create them with POST /v1/tables.')
  ],
  [/^(40P01|40001)$/, (message) => conflict(message)],
  [
    /^57014$/,
    () =>
      new ServiceError(
        'statement_cancelled',
        'Redshift stopped a statement: its time was up, or somebody cancelled it. Start the job again when that is mended.'
      )
  ],
  [/^(08|57P|53300)/, (message) => away(message)],
  [/^53100$/, () => diskFull()],
  [/^(ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_)/, (message) => away(message)],
  [
    /^ETIMEDOUT$/,
    () =>
      new ServiceError(
        'warehouse_unavailable',
        'The connection to Redshift timed out. Check INGRESS_CIDRS, PUBLICLY_ACCESSIBLE and the route to the cluster; credentials are not the cause.'
      )
  ]
]

const messages: [RegExp, Make][] = [
  [/password authentication failed/i, () => states[0]?.[1]('') as ServiceError],
  [/^1023$|serializable isolation violation|deadlock|^1018$/i, (message) => conflict(message)],
  [
    /not authorized to assume IAM Role/i,
    () =>
      new ServiceError(
        'iam_role_not_usable',
        'The cluster cannot assume its IAM role. Right after the role was attached that passes; else check the role and its trust policy.'
      )
  ],
  [
    /S3ServiceException:\s*Access Denied/i,
    () =>
      new ServiceError(
        'source_access_denied',
        "The cluster's IAM role may not read an object of the source. Check the role's policy and the bucket's."
      )
  ],
  [
    /S3ServiceException|Problem reading manifest|specified S3 prefix .* does not exist/i,
    () =>
      new ServiceError(
        'object_changed',
        'An object that was listed could not be read. It is tried again with a new list.'
      )
  ],
  [/disk full/i, () => diskFull()],
  [
    /^(Connection terminated|timeout expired|Client has encountered a connection error)/i,
    (message) => away(message)
  ]
]

const conflict = (message: string) =>
  new ServiceError('warehouse_conflict', `Redshift broke off the transaction over another one (${message}).`)
const away = (message: string) =>
  new ServiceError('warehouse_unavailable', `The connection to Redshift was lost or refused (${message}).`)
const diskFull = () =>
  new ServiceError('disk_full', 'The cluster has no room left. Add nodes or drop what is not needed.')

/** Redshift's error as one of ours where it has a known cause, else as it is. */
export function classify(error: unknown): unknown {
  if (error instanceof ServiceError) return error
  const { code = '', message = '', detail = '' } = error as DatabaseError
  const known =
    states.find(([pattern]) => pattern.test(code)) ??
    messages.find(([pattern]) => pattern.test(message) || pattern.test(detail))
  if (known === undefined) return error
  const made = known[1](code || message)
  return new ServiceError(made.code, made.message, { cause: error })
}

/** True if the session cannot be used any more. */
export function isConnectionLost(error: unknown): boolean {
  const classified = classify(error)
  return classified instanceof ServiceError && classified.code === 'warehouse_unavailable'
}

/** True if COPY gave up over the records themselves. */
export const isLoadFailure = (error: unknown): boolean =>
  /Load into table '.*' failed/.test((error as DatabaseError).message ?? '')
