// Whose turn is it: jobs wait by the peer that brought them, peers take turns, and what decides blocks goes before
// transactions. Who floods waits behind itself. Every lane and the whole are bounded in count and in bytes.

export type Urgency = "urgent" | "bulk";

export type Bounds = {
  /** Jobs of one peer and urgency. */
  readonly laneCountMax: number;
  readonly laneSizeMax: number;
  /** Bytes of all lanes. */
  readonly sizeMax: number;
};

/** After so many urgent jobs in a row comes a bulk one: a flood of votes does not shut out transactions. */
const urgentRunMax = 8;

/** `from`: a peer, or "" for the node itself, which takes turns like a peer. */
export type Sender = { readonly from: string; readonly urgency: Urgency };

export type FairQueue<T> = {
  /** False when the sender's lane is full, or all is and no larger lane gives way: the job is not taken. */
  readonly push: (sender: Sender, size: number, job: T) => boolean;
  /** Before all others, and never refused: for what comes from the node itself, one at a time. */
  readonly pushFirst: (job: T) => void;
  readonly shift: () => T | undefined;
  /** Drops what waits of a peer. */
  readonly forget: (from: string) => T[];
  readonly count: () => number;
};

type Item<T> = { readonly job: T; readonly size: number };
type Lane<T> = { readonly from: string; items: Item<T>[]; head: number; size: number };
/** In the order of turns; only lanes in which something waits. */
type Lanes<T> = Map<string, Lane<T>>;

type Queue<T> = {
  readonly urgent: Lanes<T>;
  readonly bulk: Lanes<T>;
  readonly first: T[];
  size: number;
  count: number;
  urgentRun: number;
};

/** `onDropped` hears of jobs that were taken and then gave way to a smaller lane's. */
export function fairQueue<T>(bounds: Bounds, onDropped: (job: T) => void): FairQueue<T> {
  const queue: Queue<T> = {
    urgent: new Map(),
    bulk: new Map(),
    first: [],
    size: 0,
    count: 0,
    urgentRun: 0,
  };
  return {
    push: ({ from, urgency }, size, job) => {
      const lane = queue[urgency].get(from) ?? { from, items: [], head: 0, size: 0 };
      if (waiting(lane) >= bounds.laneCountMax || lane.size + size > bounds.laneSizeMax)
        return false;
      if (!makeRoom(queue, lane, size, bounds.sizeMax, onDropped)) return false;
      lane.items.push({ job, size });
      lane.size += size;
      queue.size += size;
      queue.count += 1;
      if (!queue[urgency].has(from)) queue[urgency].set(from, lane);
      return true;
    },
    pushFirst: (job) => {
      queue.first.push(job);
      queue.count += 1;
    },
    shift: () => shift(queue),
    forget: (from) => [queue.urgent, queue.bulk].flatMap((lanes) => forget(queue, lanes, from)),
    count: () => queue.count,
  };
}

function shift<T>(queue: Queue<T>): T | undefined {
  if (queue.first.length > 0) {
    queue.count -= 1;
    return queue.first.shift();
  }
  const isBulksTurn = queue.urgentRun >= urgentRunMax || queue.urgent.size === 0;
  if (isBulksTurn && queue.bulk.size > 0) {
    queue.urgentRun = 0;
    return next(queue, queue.bulk);
  }
  queue.urgentRun += 1;
  return next(queue, queue.urgent);
}

const waiting = (lane: Lane<unknown>): number => lane.items.length - lane.head;

function take<T>(queue: Queue<T>, lane: Lane<T>): T | undefined {
  const item = lane.items[lane.head];
  if (item === undefined) return undefined;
  lane.head += 1;
  // An array's shift moves all of a long one.
  if (lane.head >= 64 && lane.head * 2 >= lane.items.length) {
    lane.items = lane.items.slice(lane.head);
    lane.head = 0;
  }
  lane.size -= item.size;
  queue.size -= item.size;
  queue.count -= 1;
  return item.job;
}

/** The job of the lane whose turn it is; the lane goes to the end while it has more. */
function next<T>(queue: Queue<T>, lanes: Lanes<T>): T | undefined {
  const [lane] = lanes.values();
  if (lane === undefined) return undefined;
  const job = take(queue, lane);
  lanes.delete(lane.from);
  if (waiting(lane) > 0) lanes.set(lane.from, lane);
  return job;
}

/** Makes room in the whole at the cost of the largest lane, if that is not the newcomer's. */
function makeRoom<T>(
  queue: Queue<T>,
  mine: Lane<T>,
  more: number,
  sizeMax: number,
  onDropped: (job: T) => void,
): boolean {
  while (queue.size + more > sizeMax) {
    let lane = mine;
    for (const lanes of [queue.urgent, queue.bulk])
      for (const one of lanes.values()) if (one.size > lane.size) lane = one;
    if (lane.size <= mine.size + more) return false;
    const job = take(queue, lane);
    if (job !== undefined) onDropped(job);
    if (waiting(lane) > 0) continue;
    for (const lanes of [queue.urgent, queue.bulk])
      if (lanes.get(lane.from) === lane) lanes.delete(lane.from);
  }
  return true;
}

function forget<T>(queue: Queue<T>, lanes: Lanes<T>, from: string): T[] {
  const dropped: T[] = [];
  const lane = lanes.get(from);
  if (lane === undefined) return dropped;
  for (let job = take(queue, lane); job !== undefined; job = take(queue, lane)) dropped.push(job);
  lanes.delete(from);
  return dropped;
}
