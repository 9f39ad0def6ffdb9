/** The options of a Redshift emulator that plays a cluster of an AWS emulator: its logins, roles and objects. */
import type { AwsEmulator } from '../aws.ts'
import type { RedshiftEmulatorOptions } from '../redshift.ts'

type ClusterOptions = Pick<
  RedshiftEmulatorOptions,
  | 'authenticate'
  | 'bucketRegion'
  | 'clusterIdentifier'
  | 'defaultRole'
  | 'objects'
  | 'region'
  | 'takesConnections'
>

const failure = (name: string) => Object.assign(new Error(name), { name })

export function clusterOfAws(aws: AwsEmulator, cluster: string): ClusterOptions {
  function check(roleArn: string, action: string, resource: string, prefix?: string): void {
    const access = aws.roleAccess({
      cluster,
      roleArn,
      action,
      resource,
      ...(prefix !== undefined && { prefix })
    })
    if (access === 'denied') throw failure('AccessDenied')
    if (access === 'not-assumable') throw failure('RoleNotAssumable')
  }

  return {
    clusterIdentifier: cluster,
    region: aws.region,
    authenticate: (user) => aws.credentials(user, cluster).map(({ password }) => password),
    takesConnections: () =>
      aws.state.clusters.some(({ identifier }) => identifier === cluster) && aws.takesConnections(cluster),
    bucketRegion: (bucket) => aws.s3.regionOf(bucket),
    defaultRole: () => aws.state.clusters.find(({ identifier }) => identifier === cluster)?.defaultRole,
    objects: {
      async list(bucket, prefix, role) {
        check(role, 's3:ListBucket', `arn:aws:s3:::${bucket}`, prefix)
        return aws.s3.keys(bucket, prefix)
      },
      async get(bucket, key, role) {
        check(role, 's3:GetObject', `arn:aws:s3:::${bucket}/${key}`)
        return aws.s3.get(bucket, key)
      }
    }
  }
}
