const flags = ['enabled', 'catch_up', 'detached', 'multiplex', 'queue'] as const;

/** Makes the flags among an event's or a job's settings 0 or 1, as they are stored and answered. Changes the object. */
export function normaliseFlags(settings: Record<string, unknown>): void {
  for (const flag of flags) {
    if (Object.hasOwn(settings, flag)) settings[flag] = settings[flag] ? 1 : 0;
  }
}
