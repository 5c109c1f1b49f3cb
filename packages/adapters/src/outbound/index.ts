export { GotWebHookSender } from './got-web-hook-sender.js';
export { type HookReply, MemoryWebHookSender } from './memory-web-hook-sender.js';
export { type MailReply, MemoryMailer } from './memory-mailer.js';
export { type ProxySettings, readProxySettings } from './proxy-settings.js';
export { NodemailerMailer, type NodemailerMailerOptions } from './nodemailer-mailer.js';
