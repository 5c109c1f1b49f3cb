import { getSystemErrorName } from 'node:util';

/** What posix_spawn has to know. Descriptors are this process's. */
export interface PosixSpawn {
  path: string;
  argv: readonly string[];
  envp: readonly string[];
  cwd: string;
  stdin: number;
  stdout: number;
  stderr: number;
}

/** The calls of the C library that Node has no words for. */
export interface Libc {
  /** Both ends, reading and writing, closed in whatever another program is executed in. Throws the system's error. */
  pipe(): [number, number];
  /**
   * Starts a program as leader of a new session, with no signal blocked or ignored, and answers its pid. A thread of
   * libuv's pool waits for it to be under way. Rejects with the system's error.
   */
  spawn(spawn: PosixSpawn): Promise<number>;
  /**
   * The status of a child that has ended, which takes it out of the table of processes; undefined while it runs. Throws
   * the system's error.
   */
  collect(pid: number): number | undefined;
}

type Koffi = typeof import('koffi')['default'];
type Library = ReturnType<Koffi['load']>;
type LibraryFunction = ReturnType<Library['func']>;

/** Values that glibc and musl share on every machine that Node runs on. */
const closeOnExec = 0o2_000_000;
const withSignalsDefault = 0x04;
const withSignalMask = 0x08;
const inNewSession = 0x80;
const noHang = 1;
/** More than either library takes: 80, 336 and 128 bytes on 64-bit machines. */
const fileActionsBytes = 256;
const attributesBytes = 1024;
const signalSetBytes = 256;

/**
 * The C library of this process. Rejects where it cannot be called or lacks something: other systems than Linux,
 * machines that koffi has no build for, glibc before 2.29.
 */
export async function openLibc(): Promise<Libc> {
  if (process.platform !== 'linux') throw new Error(`No posix_spawn for ${process.platform}`);
  const { default: koffi } = await import('koffi');
  return new KoffiLibc(koffi);
}

class KoffiLibc implements Libc {
  readonly #errno: () => number;
  readonly #attributes = Buffer.alloc(attributesBytes);
  readonly #pipe: LibraryFunction;
  readonly #wait: LibraryFunction;
  readonly #spawn: LibraryFunction;
  readonly #openActions: LibraryFunction;
  readonly #closeActions: LibraryFunction;
  readonly #addDuplicate: LibraryFunction;
  readonly #addDirectory: LibraryFunction;

  constructor(koffi: Koffi) {
    this.#errno = () => koffi.errno();
    const library = koffi.load(null);
    this.#pipe = library.func('int pipe2(_Out_ int *ends, int flags)');
    this.#wait = library.func('int waitpid(int pid, _Out_ int *status, int options)');
    this.#spawn = library.func(
      'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
    );
    const action = (name: string, parameters = ''): LibraryFunction =>
      library.func(`int posix_spawn_file_actions_${name}(void *actions${parameters})`);
    this.#openActions = action('init');
    this.#closeActions = action('destroy');
    this.#addDuplicate = action('adddup2', ', int from, int to');
    this.#addDirectory = action('addchdir_np', ', const char *path');
    setAttributes(library, this.#attributes);
  }

  pipe(): [number, number] {
    const ends: [number, number] = [-1, -1];
    if (this.#pipe(ends, closeOnExec) !== 0) throw systemError('pipe2', this.#errno());
    return ends;
  }

  async spawn({ path, argv, envp, cwd, stdin, stdout, stderr }: PosixSpawn): Promise<number> {
    const actions = Buffer.alloc(fileActionsBytes);
    check('posix_spawn_file_actions_init', this.#openActions(actions));
    try {
      check('posix_spawn_file_actions_adddup2', this.#addDuplicate(actions, stdin, 0));
      check('posix_spawn_file_actions_adddup2', this.#addDuplicate(actions, stdout, 1));
      check('posix_spawn_file_actions_adddup2', this.#addDuplicate(actions, stderr, 2));
      check('posix_spawn_file_actions_addchdir_np', this.#addDirectory(actions, cwd));
      const pid: [number] = [0];
      check('posix_spawn', await this.#call(pid, path, actions, [...argv, null], [...envp, null]));
      return pid[0];
    } finally {
      this.#closeActions(actions);
    }
  }

  collect(pid: number): number | undefined {
    const status: [number] = [0];
    const ended: unknown = this.#wait(pid, status, noHang);
    if (ended === 0) return undefined;
    if (ended === pid) return status[0];
    throw systemError('waitpid', this.#errno());
  }

  #call(pid: [number], path: string, actions: Buffer, ...lists: (string | null)[][]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#spawn.async(pid, path, actions, this.#attributes, ...lists, (error: unknown, result: number) => {
        if (error === null || error === undefined) resolve(result);
        else reject(error);
      });
    });
  }
}

/** The same for every process: as new, whatever Node does with signals of its own. */
function setAttributes(library: Library, attributes: Buffer): void {
  const all = Buffer.alloc(signalSetBytes);
  const none = Buffer.alloc(signalSetBytes);
  library.func('int sigfillset(void *set)')(all);
  library.func('int sigemptyset(void *set)')(none);
  const call = (name: string, parameters: string, ...values: unknown[]): void => {
    const result: unknown = library.func(`int ${name}(void *attributes${parameters})`)(attributes, ...values);
    check(name, result);
  };
  call('posix_spawnattr_init', '');
  call('posix_spawnattr_setsigdefault', ', void *set', all);
  call('posix_spawnattr_setsigmask', ', void *set', none);
  call('posix_spawnattr_setflags', ', short flags', withSignalsDefault | withSignalMask | inNewSession);
}

/** For functions that answer the number of their error. */
function check(call: string, result: unknown): void {
  if (result !== 0) throw systemError(call, Number(result));
}

function systemError(call: string, number: number): Error {
  const code = getSystemErrorName(-number);
  return Object.assign(new Error(`${call} ${code}`), { code });
}
