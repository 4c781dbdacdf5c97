import { z } from "zod";

/*
 * What a coordinator says about the data that it keeps: how long, and the record of processing that is made from it. Times
 * are ISO 8601 in UTC.
 */

const sentence = z.string();

/** Whose data it is. */
const dataOfSchema = z.enum(["people", "devices", "sites", "participants", "held-out", "nobody"]);
export type DataOf = z.infer<typeof dataOfSchema>;

export const retentionRowSchema = z.object({
  kind: z.enum(["table", "folder", "file"]),
  /** Name of the table, or of the entry in the data folder. */
  place: z.string(),
  holds: sentence,
  of: dataOfSchema,
  /** How long, and what ends it. */
  kept: sentence,
  /** The option of `npm run coordinator` that changes it; null if none does. */
  setting: z.string().nullable(),
});
export type RetentionRow = z.infer<typeof retentionRowSchema>;

/** What only the operator knows. Null is a blank that is still to be filled in. */
const operatorSchema = z.object({
  name: z.string().nullable(),
  contact: z.string().nullable(),
  /** Of the data protection officer. */
  protectionContact: z.string().nullable(),
  /** The legal ground of the processing. */
  legalGround: z.string().nullable(),
});
export type Operator = z.infer<typeof operatorSchema>;

const activitySchema = z.object({
  name: z.string(),
  purpose: sentence,
  /** Whose data. */
  subjects: sentence,
  /** Which data. */
  data: z.array(sentence),
  recipients: z.array(sentence),
  /** Places of the retention table. */
  places: z.array(z.string()),
});
export type ProcessingActivity = z.infer<typeof activitySchema>;

/** In the form of article 30 of the GDPR, from facts of this coordinator alone. */
export const processingRecordSchema = z.object({
  version: z.literal(1),
  madeAt: z.iso.datetime(),
  codeVersion: z.string(),
  address: z.string(),
  operator: operatorSchema,
  /** What is to be filled in by hand, each with how to set it. */
  blanks: z.array(z.object({ what: z.string(), setting: z.string().nullable() })),
  activities: z.array(activitySchema),
  retention: z.array(retentionRowSchema),
  measures: z.array(sentence),
});
export type ProcessingRecord = z.infer<typeof processingRecordSchema>;
