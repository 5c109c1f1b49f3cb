#!/usr/bin/env node
import { readJob, reasonOf, sendMessage, writeLog } from './plugin-protocol.js';
import { readRequest } from './url/http-request.js';
import { reportFailure, reportResponse } from './url/report.js';
import { sendRequest } from './url/send-request.js';

/** The HTTP request plugin as a program (behaviour reference 6.7). Always ends with one `complete` message. */
try {
  const job = await readJob();
  const request = readRequest(job);
  writeLog(`Sending HTTP ${request.method} to URL: ${request.url}`);
  for (const warning of request.warnings) writeLog(warning);
  const response = await sendRequest(request);
  sendMessage(reportResponse(request, response, { chained: Boolean(job['chain']) }, writeLog));
} catch (error) {
  sendMessage(reportFailure(reasonOf(error)));
}
