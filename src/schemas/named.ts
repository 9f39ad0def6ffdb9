/** The schemas that OpenAPI shows under a name of their own. */
import { AnalyticsQueryPageSchema, AnalyticsQuerySchema, AnalyticsQuerySummarySchema } from './analytics.ts'
import { AnswerVerificationSchema } from './analytics-verify.ts'
import { ApiKeyPageSchema, ApiKeySchema, CreatedApiKeySchema } from './api-keys.ts'
import { AuditEventPageSchema, AuditEventSchema, AuditVerificationSchema } from './audit.ts'
import { ClusterPlanSchema, ClusterSchema } from './cluster.ts'
import { JobAttemptPageSchema, JobAttemptSchema } from './job-attempts.ts'
import { JobEventPageSchema, JobEventSchema, JobPageSchema, JobSchema } from './jobs.ts'
import {
  LoadedObjectPageSchema,
  LoadedObjectSchema,
  LoadPageSchema,
  LoadSchema,
  LoadVerificationSchema,
  RejectPageSchema,
  RejectSchema
} from './loads.ts'
import { ProblemSchema } from './problems.ts'
import { NextRunsSchema, SchedulePageSchema, ScheduleSchema } from './schedules.ts'
import { DoctorReportSchema, JobBundleSchema } from './support.ts'
import { HealthSchema, OpenapiSchema, ReadinessSchema, VersionSchema, WhoamiSchema } from './system.ts'
import { TablePageSchema, TableSchema } from './tables.ts'
import { WebhookDeliveryPageSchema, WebhookDeliverySchema } from './webhooks.ts'

export const namedSchemas = [
  ProblemSchema,
  ClusterSchema,
  ClusterPlanSchema,
  TableSchema,
  TablePageSchema,
  JobSchema,
  JobPageSchema,
  JobEventSchema,
  JobEventPageSchema,
  JobAttemptSchema,
  JobAttemptPageSchema,
  WebhookDeliverySchema,
  WebhookDeliveryPageSchema,
  ScheduleSchema,
  SchedulePageSchema,
  NextRunsSchema,
  LoadSchema,
  LoadPageSchema,
  LoadedObjectSchema,
  LoadedObjectPageSchema,
  LoadVerificationSchema,
  RejectSchema,
  RejectPageSchema,
  AnalyticsQuerySchema,
  AnalyticsQuerySummarySchema,
  AnalyticsQueryPageSchema,
  AnswerVerificationSchema,
  ApiKeySchema,
  CreatedApiKeySchema,
  ApiKeyPageSchema,
  AuditEventSchema,
  AuditEventPageSchema,
  AuditVerificationSchema,
  DoctorReportSchema,
  JobBundleSchema,
  HealthSchema,
  ReadinessSchema,
  VersionSchema,
  WhoamiSchema,
  OpenapiSchema
]
