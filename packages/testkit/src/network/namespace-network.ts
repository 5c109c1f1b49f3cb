import { HubDoor } from './hub-door.js';
import { ipWithin } from './ip-command.js';
import { OwnNamespaces } from './own-namespaces.js';

/** A machine of a network: a namespace with one interface. */
export interface Place {
  readonly name: string;
  /** Its address, the same for all of the network. */
  readonly host: string;
  /** Command that runs another one there. */
  readonly through: readonly string[];
}

interface Joined extends Place {
  readonly namespace: string;
  /** Interface at the other end of its cable. */
  readonly port: string;
}

/** Where no machine of the network is. */
const nobody = '02:00:00:00:00:01';

/**
 * A network of its own: a bridge in a namespace that is the hub, and machines that are namespaces with a cable to it. Packets
 * vanish where a test says so, and nobody is told. Nothing of the machine's own network is touched: no interface is ever made
 * there. Linux, root and iproute2 are needed (`whyNoNamespaces`).
 */
export class NamespaceNetwork {
  readonly #own = new OwnNamespaces();
  readonly #hub: string;
  readonly #door: HubDoor;
  readonly #places: Joined[] = [];

  constructor() {
    this.#hub = this.#own.add('hub');
    ipWithin(this.#hub, [
      'link add name hub type bridge',
      'address add 10.77.0.1/24 dev hub',
      'link set hub up',
    ]);
    this.#door = new HubDoor(throughOf(this.#hub));
  }

  /** A new machine. `name`: at most 10 characters. */
  join(name: string): Place {
    const namespace = this.#own.add(name);
    const port = `port-${name}`;
    const host = `10.77.0.${this.#places.length + 11}`;
    ipWithin(this.#hub, [
      `link add name ${port} type veth peer name eth0 netns ${namespace}`,
      `link set ${port} master hub`,
      `link set ${port} up`,
    ]);
    ipWithin(namespace, [`address add ${host}/24 dev eth0`, 'link set eth0 up']);
    const place = { name, host, through: throughOf(namespace), namespace, port };
    this.#places.push(place);
    return place;
  }

  /** An address, `127.0.0.1:port`, at which this process reaches a port of a machine: the way leads through the hub. */
  reach(place: Place, port: number): Promise<string> {
    return this.#door.open(place.host, port);
  }

  /** The cable of a machine is pulled: all packets from and to it vanish. */
  pull(place: Place): void {
    ipWithin(this.#hub, [`link set ${this.#joined(place).port} down`]);
  }

  plug(place: Place): void {
    ipWithin(this.#hub, [`link set ${this.#joined(place).port} up`]);
  }

  /**
   * Packets from one machine to another vanish, in this direction alone. They are sent to a network card that does not exist:
   * with a route of type `blackhole` the sender would be told.
   */
  lose(from: Place, to: Place): void {
    ipWithin(this.#joined(from).namespace, [
      `neigh replace ${to.host} lladdr ${nobody} dev eth0 nud permanent`,
    ]);
  }

  /** Ends `lose`; harmless without. */
  keep(from: Place, to: Place): void {
    const { namespace } = this.#joined(from);
    // Only what is there can be deleted.
    ipWithin(namespace, [
      `neigh replace ${to.host} lladdr ${nobody} dev eth0 nud permanent`,
      `neigh del ${to.host} dev eth0`,
    ]);
  }

  /** All cables are plugged in and nothing is lost. */
  mend(): void {
    ipWithin(
      this.#hub,
      this.#places.map(({ port }) => `link set ${port} up`),
    );
    for (const { namespace } of this.#places) ipWithin(namespace, ['neigh flush nud permanent dev eth0']);
  }

  /** Ends whatever still runs in it, and leaves nothing behind. */
  async close(): Promise<void> {
    await this.#door.close();
    this.#own.remove();
  }

  #joined({ name }: Place): Joined {
    const found = this.#places.find((place) => place.name === name);
    if (found === undefined) throw new Error(`The network has no machine ${name}`);
    return found;
  }
}

const throughOf = (namespace: string): string[] => ['ip', 'netns', 'exec', namespace];
