/** The IAM role that the cluster reads the sources with: a role of our own, with exactly the rights it needs. */
import type { IAMClient } from '@aws-sdk/client-iam'
import { ServiceError } from '../errors.ts'
import { isAwsError } from './aws-errors.ts'
import { type Change, change } from './change.ts'
import { createIamApi } from './iam-api.ts'
import { isOwned, type Owner, ownerTags } from './ownership.ts'
import { type Clock, poll, retry } from './poll.ts'
import { isSamePolicy, type PolicyDocument, trustPolicy } from './role-policy.ts'

/** Name of the inline policy. */
export const POLICY_NAME = 'sparkify-read-sources'
/** How long IAM may take to show in one place what it has done in another, in ms. */
const visibility = { firstPause: 1_000, longestPause: 5_000, timeout: 60_000 }

export interface RoleSettings {
  name: string
  owner: Owner
  /** What the role may do, unless a managed policy says it. */
  policy: PolicyDocument
  managedPolicyArn?: string | undefined
}

export interface ObservedRole {
  arn: string
  isOurs: boolean
  trust: unknown
  /** Inline policies by name. */
  inline: Map<string, unknown>
  /** ARNs of attached managed policies. */
  attached: string[]
}

export type IamRole = ReturnType<typeof createIamRole>

export function createIamRole(client: IAMClient, settings: RoleSettings, clock: Clock) {
  const { name, owner } = settings
  const api = createIamApi(client, name)

  /** The role as it is; undefined when there is none. */
  async function find(signal: AbortSignal): Promise<ObservedRole | undefined> {
    try {
      const { arn, tags, trust } = await api.getRole(signal)
      // The rights of a role that is not ours are none of our business.
      if (!isOwned(owner, tags)) return { arn, isOurs: false, trust, inline: new Map(), attached: [] }
      const inline = new Map<string, unknown>()
      for (const policy of await api.listPolicies(signal)) {
        inline.set(policy, await api.getPolicy(policy, signal))
      }
      return { arn, isOurs: true, trust, inline, attached: await api.listAttached(signal) }
    } catch (error) {
      if (isGone(error)) return undefined
      throw error
    }
  }

  /** The role that was just created, as soon as IAM shows it. */
  async function findCreated(signal: AbortSignal): Promise<ObservedRole> {
    const found = await poll({
      ...{ clock, signal, ...visibility },
      look: () => find(signal),
      isDone: (role) => role !== undefined,
      onTimeout: () =>
        new ServiceError('aws_unavailable', `IAM does not show the role ${name}, which it created.`)
    })
    return found as ObservedRole
  }

  async function create(signal: AbortSignal): Promise<void> {
    const description = `Reads the sources of the Redshift cluster ${owner.identifier}`
    try {
      await api.createRole({ trust: trustPolicy, description, tags: ownerTags(owner) }, signal)
    } catch (error) {
      // An earlier answer was lost, or somebody else was faster; the tags tell.
      if (!isAwsError(error, 'EntityAlreadyExistsException')) throw error
    }
    const found = await findCreated(signal)
    if (!found.isOurs) throw foreignRole(name)
  }

  async function remove(signal: AbortSignal): Promise<boolean> {
    const observed = await find(signal)
    if (observed === undefined || !observed.isOurs) return false
    for (const policy of observed.inline.keys()) await unlessGone(api.deletePolicy(policy, signal))
    for (const arn of observed.attached) await unlessGone(api.detach(arn, signal))
    await retry(() => unlessGone(deleteRole(signal)), {
      ...{ clock, signal, ...visibility },
      passes: (error) => isAwsError(error, 'DeleteConflictException')
    })
    return true
  }

  async function deleteRole(signal: AbortSignal): Promise<void> {
    try {
      await api.deleteRole(signal)
    } catch (error) {
      // The console puts roles into instance profiles unasked.
      if (isAwsError(error, 'DeleteConflictException')) {
        for (const name of await api.listInstanceProfiles(signal))
          await api.leaveInstanceProfile(name, signal)
      }
      throw error
    }
  }

  /** A right of a role that may be so new that IAM does not find it yet. */
  const give = (work: () => Promise<unknown>, signal: AbortSignal): Promise<void> =>
    retry(async () => void (await work()), { clock, signal, ...visibility, passes: isGone })

  return {
    name,
    find,
    findCreated,
    /** Removes the role with its policies, if it is ours; false when there was nothing to remove. */
    remove,

    /** What is missing. Throws `foreign_resource` for a role of that name that is not ours. */
    changes(observed: ObservedRole | undefined): Change[] {
      if (observed !== undefined && !observed.isOurs) throw foreignRole(name)
      return compare(observed, settings, {
        create,
        setTrust: async (signal) => void (await api.setTrust(trustPolicy, signal)),
        putPolicy: (signal) => give(() => api.putPolicy(POLICY_NAME, settings.policy, signal), signal),
        attach: (arn, signal) => give(() => api.attach(arn, signal), signal),
        deletePolicy: (policy, signal) => unlessGone(api.deletePolicy(policy, signal)),
        detach: (arn, signal) => unlessGone(api.detach(arn, signal))
      })
    }
  }
}

interface Work {
  create: Change['apply']
  setTrust: Change['apply']
  putPolicy: Change['apply']
  attach(arn: string, signal: AbortSignal): Promise<void>
  deletePolicy(name: string, signal: AbortSignal): Promise<void>
  detach(arn: string, signal: AbortSignal): Promise<void>
}

/** The role is ours, and so is what it may do: rights that nobody configured are taken away. */
function compare(observed: ObservedRole | undefined, settings: RoleSettings, work: Work): Change[] {
  const { name, policy, managedPolicyArn } = settings
  const resource = `IAM role ${name}`
  const inline = observed?.inline ?? new Map<string, unknown>()
  const attached = observed?.attached ?? []
  const changes: Change[] = []
  if (observed === undefined) {
    changes.push(change('create', resource, 'a role that only Redshift may assume', work.create))
  } else if (!isSamePolicy(observed.trust, trustPolicy)) {
    changes.push(change('update', resource, 'its trust policy: only Redshift may assume it', work.setTrust))
  }
  if (managedPolicyArn === undefined && !isSamePolicy(inline.get(POLICY_NAME), policy)) {
    const action = inline.has(POLICY_NAME) ? 'update' : 'create'
    const detail = 'an inline policy that reads exactly the configured sources'
    changes.push(change(action, resource, detail, work.putPolicy))
  }
  if (managedPolicyArn !== undefined && !attached.includes(managedPolicyArn)) {
    const apply = (signal: AbortSignal) => work.attach(managedPolicyArn, signal)
    changes.push(change('create', resource, `the managed policy ${managedPolicyArn}`, apply))
  }
  for (const other of inline.keys()) {
    if (managedPolicyArn === undefined && other === POLICY_NAME) continue
    const apply = (signal: AbortSignal) => work.deletePolicy(other, signal)
    changes.push(change('delete', resource, `the inline policy ${other}`, apply))
  }
  for (const arn of attached.filter((arn) => arn !== managedPolicyArn)) {
    const apply = (signal: AbortSignal) => work.detach(arn, signal)
    changes.push(change('delete', resource, `the managed policy ${arn}`, apply))
  }
  return changes
}

const isGone = (error: unknown): boolean => isAwsError(error, 'NoSuchEntityException')

async function unlessGone(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => {
    if (!isGone(error)) throw error
  })
}

const foreignRole = (name: string) =>
  new ServiceError(
    'foreign_resource',
    `The IAM role ${name} exists and is not this deployment's. It is left as it is: name another one in IAM_ROLE_NAME, or use it as it is with IAM_ROLE_ARN.`
  )
