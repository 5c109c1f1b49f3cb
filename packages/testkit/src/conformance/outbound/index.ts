export { type DeliveryQueueSubject, deliveryQueueConformance } from './delivery-queue-conformance.js';
export { type MailerSubject, mailerConformance, type ReceivedMail } from './mailer-conformance.js';
export { type ReceivedHook, type WebHookSubject, webHookConformance } from './web-hook-conformance.js';
