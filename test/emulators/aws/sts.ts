/** STS: who is asking. */
import type { QueryService } from './service.ts'

export const sts: QueryService = {
  name: 'sts',
  version: '2011-06-15',
  namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  operations: {
    GetCallerIdentity: (_, { caller, world }) => ({
      Arn: caller.arn,
      UserId: caller.userId,
      Account: world.account
    })
  }
}
