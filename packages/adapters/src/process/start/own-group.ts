import { hasLiveMember } from '../linux-strays.js';
import { systemErrorName } from '../system-error.js';

const leaderGone = 1;
/** No process of the group was left: its number may belong to strangers by now. */
const groupGone = 2;

/**
 * The group of a child process that leads it. `state` may be shared with another thread: one collects the leader, and
 * from that moment on no thread signals a group that has no members.
 */
export class OwnGroup {
  readonly #pid: number;
  readonly #state: Int32Array<ArrayBufferLike>;

  /** `state`: one number, 0 at the start of the process. */
  constructor(pid: number, state: Int32Array<ArrayBufferLike> = new Int32Array(1)) {
    this.#pid = pid;
    this.#state = state;
  }

  /** Signals all members; false when there are none. 0 only asks. */
  signal(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    if (!this.#kill(signal)) return false;
    if (signal === 0 && this.#isLeaderGone && hasLiveMember(this.#pid) === false) this.#isGone = true;
    return !this.#isGone;
  }

  /** For the moment in which the leader has been collected. */
  onLeaderGone(): void {
    Atomics.store(this.#state, 0, leaderGone);
    this.#kill(0);
  }

  get #isLeaderGone(): boolean {
    return Atomics.load(this.#state, 0) >= leaderGone;
  }

  get #isGone(): boolean {
    return Atomics.load(this.#state, 0) === groupGone;
  }

  set #isGone(isGone: boolean) {
    if (isGone) Atomics.store(this.#state, 0, groupGone);
  }

  #kill(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    if (this.#isGone) return false;
    try {
      process.kill(-this.#pid, signal);
      return true;
    } catch (error) {
      // EPERM: there are members, all of another user.
      if (systemErrorName(error) !== 'ESRCH') return true;
      this.#isGone = this.#isLeaderGone;
      return false;
    }
  }
}
