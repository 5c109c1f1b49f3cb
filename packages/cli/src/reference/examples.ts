/** A command line that the reference shows. */
export interface CommandExample {
  /** After the program's name. `JOB` stands for the id of the job that was started last. */
  line: string;
  /** What it ends with, when that is not 0. */
  exitCode?: number;
}

/**
 * What the reference shows for each command, in an order in which all of it can be run against a fresh cluster of two
 * primaries p1 and p2 and two workers w1 and w2.
 */
export const commandExamples: readonly CommandExample[] = [
  ...[
    'status',
    'scheduler off',
    'group create --set id=web --set title="Web Servers" --set regexp=^web',
    'group list',
    'group show web',
    'group update "Web Servers" --set "regexp=^(web|www)"',
    'category create --set id=backups --set title=Backups --set max_children=2',
    'category list',
    'category show backups',
    'category update backups --set enabled=0 --abort-jobs',
    'plugin create plugin.json',
    'plugin list',
    'plugin show "Disk usage"',
    'plugin update disk_usage --set enabled=0',
    'event create "Say hello" --id hello --cron "30 4 * * 1-5" --script \'echo hello from $(hostname)\'',
    'event create "Long job" --id long --on-demand --script "exec sleep 600" --set queue=1 --set max_children=1',
    'event list',
    'event list hello',
    'event show "Say hello"',
    'event edit hello --timezone Europe/London --set retries=2',
    'event disable hello',
    'event enable hello',
    'run hello --watch',
    'job show JOB',
    'job log JOB',
    'job log JOB --follow',
    'history',
    'history hello --failed --limit 10',
    'job delete JOB',
    'run long --set timeout=900',
    'job list',
    'job edit JOB --set timeout=3600',
    'job edit --where event=long --set retries=1',
    'run long',
    'event flush long',
    'job abort --where event=long',
    'upcoming --hours 48',
    'activity --limit 10',
    'deliveries',
    'key create "Nightly reports" --allow run_events --description "The reporting host"',
    'key list',
    'key show "Nightly reports"',
    'key edit "Nightly reports" --set active=0',
    'key revoke "Nightly reports"',
    'user create ann --full-name "Ann Example" --email ann@example.org --allow run_events',
    'user list',
    'user show ann',
    'user edit ann --allow cat_limit --allow cat_backups',
  ].map((line) => ({ line })),
  // Only the mail has a key that is good.
  { line: 'user reset ann --recovery-key 5f0c1b7e', exitCode: 1 },
  ...[
    'user delete ann',
    'import crontab crontab.txt --dry-run',
    'import crontab crontab.txt',
    'import cronicle cronicle.txt --dry-run',
    'import cronicle cronicle.txt',
    'export backup.json.gz',
    'import carillon backup.json.gz --dry-run',
  ].map((line) => ({ line })),
  { line: 'plan schedule', exitCode: 2 },
  ...[
    'apply schedule',
    'plan schedule',
    'apply schedule --prune',
    'schedule pull pulled --owner team',
    'event delete hello',
    'group delete web',
    'category delete backups',
    'plugin delete disk_usage',
    'server list',
    'server show w1',
    'server drain w1 --restart',
    'drain w1 --grace 30',
    'server remove w2',
    'step-down --quiet 10',
    'scheduler on',
    'completion bash',
    'completion zsh',
    'completion fish',
  ].map((line) => ({ line })),
];

/** The words of a line, as a shell splits it; quotes keep blanks together. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  );
