import type { HookTextName, MailTemplateName } from './settings.js';

/** The texts that ship (behaviour reference 7.1). */
export const defaultHookTexts: Readonly<Record<HookTextName, string>> = {
  job_start: 'Job started on [hostname]: [event_title] [job_details_url]',
  job_complete: 'Job completed successfully on [hostname]: [event_title] [job_details_url]',
  job_failure: 'Job failed on [hostname]: [event_title]: Error [code]: [description] [job_details_url]',
  job_launch_failure: 'Failed to launch scheduled event: [event_title]: [description] [edit_event_url]',
};

const jobFacts = `Event:      [/event_title]
Category:   [/category_title]
Plugin:     [/plugin_title]
Target:     [/nice_target]
Server:     [/hostname]
Source:     [/nice_source]
Job ID:     [/id]
Process ID: [/pid]

Finished:   [/nice_date_time]
Elapsed:    [/nice_elapsed]
CPU:        [/nice_cpu]
Memory:     [/nice_mem]
Log size:   [/nice_log_size]

Performance metrics:
[/perf]

Notes of the event:
[/notes]

Job details:
[/job_details_url]

Change the event or its recipients:
[/edit_event_url]

Sent by Carillon [/version].
`;

/** The e-mails that ship: headers, an empty line, the body (behaviour reference 7.2). */
export const defaultMailTemplates: Readonly<Record<MailTemplateName, string>> = {
  job_success: `To: [/notify_success]
From: [/config/email_from]
Subject: ✅ Carillon Job Completed Successfully: [/event_title]

A job of the event "[/event_title]" completed successfully.

Description:
[/description]

${jobFacts}`,
  job_fail: `To: [/notify_fail]
From: [/config/email_from]
Subject: ⚠️ Carillon Job Failed: [/event_title]

A job of the event "[/event_title]" failed.

Error code: [/code]
Error:
[/description]

${jobFacts}`,
  event_error: `To: [/notify_fail]
From: [/config/email_from]
Subject: ⚠️ Carillon Event Error: [/title]

The event "[/title]" could not be carried out.

Error:
[/description]

Primary:    [/hostname]
Date/Time:  [/nice_date_time]

Notes of the event:
[/notes]

Change the event or its recipients:
[/edit_event_url]

Sent by Carillon [/version].
`,
};
