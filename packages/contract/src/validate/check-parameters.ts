import type { ApiCall } from '../calls/index.js';
import { CarillonError } from '../errors.js';
import { checkTiming } from './check-timing.js';
import { type FieldRule, fieldRules, type TypeName } from './field-rules.js';

/**
 * Checks the parameters of a call: first the required ones, then the optional ones that are present. Only own keys
 * count and unknown keys are never refused. Throws CarillonError `api` with the texts of behaviour reference
 * 1.5 and 1.6, which name the parameter.
 */
export function checkParameters(call: ApiCall, params: Readonly<Record<string, unknown>>): void {
  const rules = fieldRules(call.params);
  for (const rule of rules) if (rule.required) checkRequired(rule, valueOf(params, rule.name));
  for (const rule of rules) if (!rule.required) checkOptional(rule, valueOf(params, rule.name));
}

const valueOf = (params: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(params, name) ? params[name] : undefined;

const refusal = (text: string) => new CarillonError('api', text);

function checkRequired(rule: FieldRule, value: unknown): void {
  if (value === undefined) throw refusal(`Missing parameter: ${rule.name}`);
  if (value === null) throw refusal(`Null parameter: ${rule.name}`);
  if (rule.isValid(value)) return;
  throw refusal(specialText(rule.name, value) ?? `Malformed parameter: ${rule.name}`);
}

function checkOptional(rule: FieldRule, value: unknown): void {
  if (value === undefined || rule.isValid(value)) return;
  const special = specialText(rule.name, value);
  if (special !== undefined) throw refusal(special);
  const type = typeof value as TypeName;
  if (rule.types?.has(type) === false) {
    throw refusal(`Malformed parameter type: ${rule.name} (${type})`);
  }
  throw refusal(`Malformed parameter value: ${rule.name}`);
}

/** Texts of their own that some event fields have. */
function specialText(name: string, value: unknown): string | undefined {
  if (name === 'timing') return checkTiming(value);
  if (name === 'params' && typeof value === 'object')
    return 'Malformed event parameter: params (must be object)';
  if ((name === 'title' || name === 'notes') && typeof value === 'string' && /[<>]/.test(value)) {
    return `Malformed ${name} parameter: Cannot contain HTML metacharacters`;
  }
  return undefined;
}
