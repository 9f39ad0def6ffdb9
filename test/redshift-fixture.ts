/** The whole service on Redshift: the SDK speaks to an emulated AWS, the driver to an emulated cluster, over sockets. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Clock } from '../src/services/clock.ts'
import { createTestClock } from './cloud/fixture.ts'
import { type AwsEmulator, startAwsEmulator } from './emulators/aws.ts'
import { clusterOfAws } from './emulators/redshift/of-aws.ts'
import { type RedshiftEmulator, startRedshiftEmulator } from './emulators/redshift.ts'
import { temporaryDirectory } from './files.ts'
import { build, type TestService } from './helper.ts'

export const BUCKET = 'udacity-dend'
export const SCRATCH = 'sparkify-manifests'

export interface RedshiftService extends TestService {
  aws: AwsEmulator
  redshift: RedshiftEmulator
  /** Puts objects below the two sources: `song_data/...` and `log_data/...`. */
  put(files: Record<string, string | Buffer>): void
  /** Puts these objects in place of all there are. */
  replace(files: Record<string, string | Buffer>): void
}

/** Both emulators, and a service over them that has neither cluster nor tables yet. `way`: a port that leads to the cluster's. */
export async function buildOnRedshift(
  t: Test,
  env: Record<string, string> = {},
  { way = async (port) => port, ...more }: { clock?: Clock; way?: (port: number) => Promise<number> } = {}
): Promise<RedshiftService> {
  const clock = createTestClock()
  const aws = await startAwsEmulator({ clock: clock.now })
  t.teardown(() => aws.close())
  aws.s3.createBucket(BUCKET)
  aws.s3.createBucket(SCRATCH)
  const redshift = await startRedshiftEmulator({ ...clusterOfAws(aws, 'sparkify'), database: 'sparkify' })
  t.teardown(() => redshift.close())
  aws.redshiftEndpoint = { host: redshift.serverName, port: redshift.port }
  // Where the SDK looks for them; every test file is a process of its own.
  Object.assign(process.env, aws.env)
  const authorities = join(temporaryDirectory(t), 'ca.pem')
  writeFileSync(authorities, redshift.ca)

  const service = await build(
    t,
    {
      ...{ WAREHOUSE: 'redshift', AWS_REGION: aws.region, CLUSTER_MODE: 'managed' },
      ...{ SONG_DATA: `s3://${BUCKET}/song_data`, LOG_DATA: `s3://${BUCKET}/log_data` },
      MANIFEST_PREFIX: `s3://${SCRATCH}/loads/`,
      // The cluster's name leads nowhere: the way to it is a tunnel.
      ...{ REDSHIFT_HOST: redshift.host, REDSHIFT_PORT: String(await way(redshift.port)) },
      REDSHIFT_TLS_CA_FILE: authorities,
      ...env
    },
    { outside: { clock }, ...more }
  )
  const put = (files: Record<string, string | Buffer>) => {
    for (const [key, content] of Object.entries(files)) aws.s3.put(BUCKET, key, content)
  }
  return {
    ...service,
    ...{ aws, redshift, put },
    replace(files) {
      for (const key of aws.s3.keys(BUCKET, '')) aws.s3.delete(BUCKET, key)
      put(files)
    }
  }
}
