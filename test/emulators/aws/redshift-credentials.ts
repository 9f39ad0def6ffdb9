/** Redshift: temporary credentials, and who can log in with what. */
import { findCluster, takesConnections } from './cluster-state.ts'
import { AwsError, invalidValue } from './errors.ts'
import { secret } from './ids.ts'
import type { Params } from './params.ts'
import { isReserved } from './redshift-reserved-words.ts'
import type { Operation } from './service.ts'
import type { Cluster, IssuedCredential, World } from './world.ts'

function issue(
  params: Params,
  world: World,
  cluster: Cluster,
  credential: Pick<IssuedCredential, 'user' | 'dbUser' | 'autoCreate' | 'dbGroups'>
) {
  const seconds = params.integer('DurationSeconds') ?? 900
  if (seconds < 900 || seconds > 3600) {
    throw invalidValue('Token duration must be between 900 and 3600 seconds')
  }
  const expires = new Date(world.now() + seconds * 1000)
  const issued = { ...credential, cluster: cluster.identifier, password: secret(48), expires }
  world.credentials.push(issued)
  // Whom AutoCreate names exists from the first login on; nobody can tell that from now on.
  if (credential.autoCreate) cluster.dbUsers.add(credential.dbUser)
  return { DbUser: issued.user, DbPassword: issued.password, Expiration: expires }
}

export const credentialOperations: Record<string, Operation> = {
  GetClusterCredentials(params, { world }) {
    const dbUser = params.required('DbUser')
    const cluster = findCluster(world, params.required('ClusterIdentifier'))
    if (!/^[A-Za-z][\w+.@-]{0,63}$/.test(dbUser) || isReserved(dbUser)) {
      throw invalidValue(`The parameter DbUser is not a valid user name: ${dbUser}`)
    }
    const autoCreate = params.boolean('AutoCreate') ?? false
    const user = `${autoCreate ? 'IAMA' : 'IAM'}:${dbUser}`
    return issue(params, world, cluster, { user, dbUser, autoCreate, dbGroups: params.texts('DbGroups') })
  },

  GetClusterCredentialsWithIAM(params, { world, caller }) {
    const identifier = params.text('ClusterIdentifier')
    if (identifier === undefined) {
      throw new AwsError('UnsupportedOperation', 'The emulator knows no custom domain names.')
    }
    const cluster = findCluster(world, identifier)
    // arn:aws:iam::1:user/path/name, arn:aws:sts::1:assumed-role/role/session
    const [kind, ...names] = (caller.arn.split(':')[5] ?? '').split('/')
    const user = kind === 'assumed-role' ? `IAMR:${names[0]}` : `IAM:${names.at(-1)}`
    const issued = issue(params, world, cluster, { user, dbUser: user, autoCreate: true, dbGroups: [] })
    return { ...issued, NextRefreshTime: issued.Expiration }
  }
}

/** A way to log in that is valid now. */
export interface Login {
  cluster: string
  user: string
  password: string
  /** Null for the master user, whose password does not expire. */
  expires: Date | null
  dbUser: string
  dbGroups: string[]
}

/** Every password that opens a cluster for this user now, the newest first. Users that do not exist get none. */
export function loginsOf(world: World, user: string, identifier?: string): Login[] {
  const clusters = [...world.clusters.values()].filter(
    (cluster) =>
      takesConnections(cluster.status) && (identifier === undefined || cluster.identifier === identifier)
  )
  return clusters.flatMap((cluster): Login[] => {
    if (user === cluster.masterUsername) {
      const { identifier: name, masterPassword: password } = cluster
      return [{ cluster: name, user, password, expires: null, dbUser: user, dbGroups: [] }]
    }
    return world.credentials
      .filter((issued) => issued.cluster === cluster.identifier && issued.user === user)
      .filter((issued) => issued.expires.getTime() > world.now() && cluster.dbUsers.has(issued.dbUser))
      .map(({ autoCreate: _, ...login }) => login)
      .reverse()
  })
}
