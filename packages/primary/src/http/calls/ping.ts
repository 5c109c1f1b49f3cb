import { bareSuccess } from '../reply/reply.js';

/** Answer of any node in any state, without a credential (behaviour reference 1.8). */
export const answerPing = (): string => bareSuccess;
