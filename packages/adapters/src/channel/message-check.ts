import { PrimaryMessage, WorkerMessage } from '@carillon/contract';
import { Ajv, type ValidateFunction } from 'ajv';

export type Parsed<Message> = { message: Message } | { invalid: string };
export type MessageParser<Message> = (text: string) => Parsed<Message>;

function parserOf<Message>(check: ValidateFunction<Message>): MessageParser<Message> {
  return (text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return { invalid: 'not JSON' };
    }
    if (check(value)) return { message: value };
    const [error] = check.errors ?? [];
    return {
      invalid: error === undefined ? 'wrong shape' : `${error.instancePath} ${error.message ?? ''}`.trim(),
    };
  };
}

const ajv = new Ajv({ strict: false, allErrors: false });
/** Reads a message of a worker; never throws. */
export const parseWorkerMessage = parserOf(ajv.compile<WorkerMessage>(WorkerMessage));
/** Reads a message of the primary; never throws. */
export const parsePrimaryMessage = parserOf(ajv.compile<PrimaryMessage>(PrimaryMessage));
