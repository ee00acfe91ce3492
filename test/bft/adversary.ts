// What a Byzantine seat does with what its own machine wants to say (`say`), with what it hears (`hear`) and on its own
// (`flood`). Several strategies work one after the other on the same messages.
import { isRejected, isZero, keyOf, sha256, zero32 } from "@causeway/primitives";
import type { Proposal, Vote } from "../../chain-core/src/codec/block.ts";
import { blockCodec, blockId, voteKinds } from "../../chain-core/src/codec/block.ts";
import type { Message } from "../../chain-core/src/node/message.ts";
import { encodeMessage, parseMessage } from "../../chain-core/src/node/message.ts";
import {
  forgedFinal,
  garbage,
  isProposer,
  seatAt,
  signProposal,
  signVote,
  withHeader,
  wrongBlock,
} from "./forge.ts";
import type { Adversary, Coalition, Peer } from "./model.ts";
import { clockOf } from "./model.ts";
import type { SeatStrategy } from "./strategies.ts";

/** A message on its way to one peer. */
type Draft = { readonly to: Peer; readonly message: Message; readonly heldMs: number };
type Tamper = (adversary: Adversary, draft: Draft) => Draft[];

const heardMax = 200;

export function coalition(): Coalition {
  return { twins: new Map(), sides: new Map(), blocks: new Map(), heard: [] };
}

/** What the own machine wants to send: to `name`, or to everyone. */
export function say(adversary: Adversary, name: string | undefined, bytes: Uint8Array): void {
  const { world } = adversary;
  const parsed = parseMessage(bytes);
  if (isRejected(parsed)) return;
  const message = inFull(adversary, parsed);
  if (message.kind === "proposal") noteProposal(adversary, message.proposal);
  const targets = world.peers.filter(
    (to) => to.index !== adversary.index && (name === undefined || to.name === name),
  );
  let drafts = targets.map((to): Draft => ({ to, message, heldMs: 0 }));
  for (const strategy of adversary.strategies)
    drafts = drafts.flatMap((draft) => tampers[strategy](adversary, draft));
  const encoded = new Map<Message, Uint8Array>([[parsed, bytes]]);
  for (const draft of drafts) {
    const known = encoded.get(draft.message) ?? encodeMessage(draft.message);
    encoded.set(draft.message, known);
    adversary.wire(draft.to, known, draft.heldMs);
  }
}

/** The strategies work on whole proposals, which honest nodes take as well. */
function inFull(adversary: Adversary, message: Message): Message {
  if (message.kind !== "compact") return message;
  const { round, signature } = message.compact;
  const own = adversary.world.peers[adversary.index]?.state?.round.proposals.get(round) ?? [];
  const proposal = own.find((one) => keyOf(one.proposal.signature) === keyOf(signature))?.proposal;
  return proposal === undefined ? message : { kind: "proposal", proposal };
}

/** What another peer sent to this seat. */
export function hear(adversary: Adversary, from: string, bytes: Uint8Array): void {
  const { heard } = adversary.coalition;
  if (adversary.strategies.includes("message flood")) {
    heard.push(bytes);
    if (heard.length > heardMax) heard.shift();
  }
  const message = parseMessage(bytes);
  if (isRejected(message) || (message.kind !== "proposal" && message.kind !== "compact")) return;
  const said =
    message.kind === "proposal"
      ? message.proposal
      : { ...message.compact, block: message.compact.head };
  noteProposal(adversary, said);
  const isOwn = from === adversary.world.peers[adversary.index]?.name;
  if (!isOwn && adversary.strategies.includes("amnesia")) forget(adversary, said);
}

/** Remembers which blocks there are, and whether the proposer is one of us who doubled it. */
function noteProposal({ world, coalition }: Adversary, { height, block }: Proposal): void {
  const parsed = blockCodec.parse(block);
  if (isRejected(parsed)) return;
  const id = blockId(world.chain.network, parsed.header);
  const known = coalition.blocks.get(height) ?? [];
  if (known.some((one) => keyOf(one) === keyOf(id))) return;
  if (known.length < 16) coalition.blocks.set(height, [...known, id]);
}

function isOwnVote(adversary: Adversary, vote: Vote): boolean {
  return vote.seat === seatAt(adversary, vote.height);
}

/** Changes the own votes of a message; the others' stay. */
function mapVotes(
  adversary: Adversary,
  draft: Draft,
  change: (vote: Vote) => readonly Vote[],
): Draft[] {
  const { message } = draft;
  if (message.kind !== "votes" || !message.votes.some((vote) => isOwnVote(adversary, vote)))
    return [draft];
  const votes = message.votes.flatMap((vote) =>
    isOwnVote(adversary, vote) ? change(vote) : [vote],
  );
  return votes.length === 0 ? [] : [{ ...draft, message: { kind: "votes", votes } }];
}

function ownProposal(adversary: Adversary, { message }: Draft): Proposal | undefined {
  if (message.kind !== "proposal") return undefined;
  const { height, round, block } = message.proposal;
  // Another strategy of this seat may have cut it short.
  if (isRejected(blockCodec.parse(block))) return undefined;
  return isProposer(adversary, height, round) ? message.proposal : undefined;
}

function count(adversary: Adversary, strategy: SeatStrategy): void {
  adversary.world.counts[strategy] += 1;
}

/** Which peers are shown the second block of a round. */
function sideOf({ coalition, random, world }: Adversary, slot: string): readonly boolean[] {
  let side = coalition.sides.get(slot);
  if (side === undefined) {
    side = world.peers.map(() => random.chance(0.5));
    coalition.sides.set(slot, side);
  }
  return side;
}

/** Two blocks for one round: each half of the peers gets one, some get both, and votes follow. */
const equivocateProposal: Tamper = (adversary, draft) => {
  const { coalition, random } = adversary;
  const proposal = ownProposal(adversary, draft);
  if (proposal === undefined)
    return mapVotes(adversary, draft, (vote) => [sided(adversary, draft.to, vote)]);
  const slot = `${proposal.height}/${proposal.round}`;
  let entry = coalition.twins.get(slot);
  if (entry === undefined) {
    const block = blockCodec.decode(proposal.block);
    const other = withHeader(block, { time: block.header.time + 1 });
    const { proposal: twin, id } = signProposal(adversary, { ...proposal, polRound: 0 }, other);
    const first = keyOf(blockId(adversary.world.chain.network, block.header));
    entry = { first, twin, id };
    coalition.twins.set(slot, entry);
    count(adversary, "equivocating proposer");
  }
  const twinDraft: Draft = { ...draft, message: { kind: "proposal", proposal: entry.twin } };
  const shown = sideOf(adversary, slot)[draft.to.index] === true ? twinDraft : draft;
  if (random.chance(0.85)) return [shown];
  return [shown, { ...(shown === draft ? twinDraft : draft), heldMs: random.below(400) }];
};

/** The own vote as this side of a doubled round wants to see it. */
function sided(adversary: Adversary, to: Peer, vote: Vote): Vote {
  const slot = `${vote.height}/${vote.round}`;
  const entry = adversary.coalition.twins.get(slot);
  if (entry === undefined || keyOf(vote.block) !== entry.first) return vote;
  if (sideOf(adversary, slot)[to.index] !== true) return vote;
  return signVote(adversary, { ...vote, block: entry.id, polRound: 0 });
}

/** Another vote for some, both for others. */
const equivocateVote: Tamper = (adversary, draft) =>
  mapVotes(adversary, draft, (vote) => {
    const { random, coalition } = adversary;
    const twin = coalition.twins.get(`${vote.height}/${vote.round}`);
    if (twin !== undefined && keyOf(vote.block) === twin.first && random.chance(0.7))
      return [sided(adversary, draft.to, vote)];
    const others = (coalition.blocks.get(vote.height) ?? []).filter(
      (id) => keyOf(id) !== keyOf(vote.block),
    );
    const rival = isZero(vote.block)
      ? random.pick([...others, sha256(random.bytes(4))])
      : random.pick([zero32, ...others, sha256(random.bytes(4))]);
    const other = signVote(adversary, { ...vote, block: rival, polRound: 0 });
    count(adversary, "equivocating voter");
    const roll = random.below(10);
    if (roll < 4) return [vote];
    return roll < 8 ? [other] : [vote, other];
  });

/** Without a lock: votes for whatever is proposed, at once, in both ways. */
const amnesia: Tamper = (adversary, draft) => {
  const proposal = ownProposal(adversary, draft);
  if (proposal === undefined) return mapVotes(adversary, draft, () => []);
  const slot = `amnesia/${proposal.height}/${proposal.round}`;
  let entry = adversary.coalition.twins.get(slot);
  if (entry === undefined) {
    const block = blockCodec.decode(proposal.block);
    const time = Math.max(clockOf(adversary.world, draft.to), block.header.time);
    const proposer = seatAt(adversary, proposal.height);
    const fresh = proposal.polRound > 0 ? withHeader(block, { time, proposer }) : block;
    const { proposal: twin, id } = signProposal(adversary, { ...proposal, polRound: 0 }, fresh);
    entry = { first: keyOf(id), twin, id };
    adversary.coalition.twins.set(slot, entry);
  }
  forget(adversary, entry.twin);
  return [{ ...draft, message: { kind: "proposal", proposal: entry.twin } }];
};

function forget(adversary: Adversary, { height, round, block }: Proposal): void {
  const { world, random, said } = adversary;
  if (seatAt(adversary, height) < 0) return;
  const parsed = blockCodec.parse(block);
  if (isRejected(parsed)) return;
  const id = blockId(world.chain.network, parsed.header);
  const slot = `${height}/${round}`;
  if (said.has(slot)) return;
  said.add(slot);
  count(adversary, "amnesia");
  // Precommits that few see leave locks behind that the next round breaks.
  const few = random.chance(0.5);
  for (const [kind, heldMs] of [
    [voteKinds.prevote, 0],
    [voteKinds.precommit, 40 + random.below(200)],
  ] as const) {
    const vote = signVote(adversary, { kind, height, round, block: id, polRound: 0 });
    const bytes = encodeMessage({ kind: "votes", votes: [vote] });
    for (const to of world.peers) {
      if (to.index === adversary.index) continue;
      if (few && kind === voteKinds.precommit && random.chance(0.6)) continue;
      adversary.wire(to, bytes, heldMs);
      // Once more for those who lost it.
      if (random.chance(0.5)) adversary.wire(to, bytes, heldMs + 1_000);
    }
  }
}

const silent: Tamper = (adversary) => {
  count(adversary, "silent");
  return [];
};

const delayed: Tamper = (adversary, draft) => {
  count(adversary, "delayed");
  return [{ ...draft, heldMs: draft.heldMs + 300 + adversary.random.below(6_000) }];
};

/** Some peers hear it, and in a round at times only one sees the precommit. */
const selective: Tamper = (adversary, draft) => {
  const { message, to } = draft;
  const first = message.kind === "votes" ? message.votes[0] : undefined;
  const slot = first === undefined ? "else" : `${first.height}/${first.round}/${first.kind}`;
  const shown = sideOf(adversary, `selective/${adversary.index}/${slot}`);
  if (shown[to.index] === true) return [draft];
  count(adversary, "selective");
  return [];
};

const wrong: Tamper = (adversary, draft) => {
  const { coalition, random } = adversary;
  const proposal = ownProposal(adversary, draft);
  if (proposal === undefined)
    return mapVotes(adversary, draft, (vote) => wrongVote(adversary, vote));
  const slot = `wrong/${proposal.height}/${proposal.round}`;
  let entry = coalition.twins.get(slot);
  if (entry === undefined) {
    const original = blockCodec.decode(proposal.block);
    const block = wrongBlock(adversary, original);
    const polRound = random.chance(0.1) ? proposal.round + 1 : 0;
    const { proposal: twin, id } = signProposal(adversary, { ...proposal, polRound }, block);
    const bytes = random.chance(0.1) ? twin.block.slice(0, 40) : twin.block;
    const first = keyOf(blockId(adversary.world.chain.network, original.header));
    entry = { first, twin: { ...twin, block: bytes }, id };
    coalition.twins.set(slot, entry);
    count(adversary, "wrong block");
  }
  return [{ ...draft, message: { kind: "proposal", proposal: entry.twin } }];
};

/**
 * Prevotes its own wrong block, so that one less is missing; a precommit could break a lock and convict, and so could
 * the true block's proof of lock, stated for the wrong one.
 */
function wrongVote(adversary: Adversary, vote: Vote): Vote[] {
  const entry = adversary.coalition.twins.get(`wrong/${vote.height}/${vote.round}`);
  if (entry === undefined || keyOf(vote.block) !== entry.first) return [vote];
  if (vote.kind === voteKinds.precommit || vote.polRound > 0) return [];
  return [signVote(adversary, { ...vote, block: entry.id })];
}

/** Claims blocks that it does not have, and serves certificates that are none. */
const forgeCertificate: Tamper = (adversary, draft) => {
  const { message } = draft;
  const { random, world } = adversary;
  if (message.kind === "status" && random.chance(0.5)) {
    const height = message.status.height + 1 + random.below(50);
    return [{ ...draft, message: { kind: "status", status: { ...message.status, height } } }];
  }
  if (message.kind !== "blocksReply") return [draft];
  count(adversary, "invalid certificate");
  const { from } = message;
  const own = world.peers[adversary.index]?.disk.blocks ?? [];
  // Asked for what nobody has, it makes one up from what it has.
  const base = message.blocks.length > 0 ? message.blocks : own.slice(-1);
  const at = random.below(base.length);
  const blocks = base.map((final, i) =>
    i === at ? forgedFinal(adversary, from + i, final) : final,
  );
  return [{ ...draft, message: { kind: "blocksReply", from, blocks } }];
};

/** Claims proofs of lock that do not exist. */
const liePolRound: Tamper = (adversary, draft) => {
  const { coalition, random } = adversary;
  const proposal = ownProposal(adversary, draft);
  if (proposal !== undefined && proposal.round > 0) {
    const slot = `lie/${proposal.height}/${proposal.round}`;
    let entry = coalition.twins.get(slot);
    if (entry === undefined) {
      const block = blockCodec.decode(proposal.block);
      const polRound = 1 + random.below(proposal.round);
      const { proposal: twin, id } = signProposal(adversary, { ...proposal, polRound }, block);
      entry = { first: keyOf(id), twin, id };
      coalition.twins.set(slot, entry);
      count(adversary, "false proof of lock");
    }
    return [{ ...draft, message: { kind: "proposal", proposal: entry.twin } }];
  }
  return mapVotes(adversary, draft, (vote) => {
    if (vote.kind !== voteKinds.prevote || vote.round === 0 || isZero(vote.block)) return [vote];
    count(adversary, "false proof of lock");
    // One lie a round, or it would contradict itself.
    return [signVote(adversary, { ...vote, polRound: vote.round })];
  });
};

const tampers: Record<SeatStrategy, Tamper> = {
  "equivocating proposer": equivocateProposal,
  "equivocating voter": equivocateVote,
  amnesia,
  silent,
  delayed,
  selective,
  "wrong block": wrong,
  "invalid certificate": forgeCertificate,
  "false proof of lock": liePolRound,
  "message flood": (_, draft) => [draft],
};

/** A burst of what costs the receiver something and helps nobody; under the own name or that of a stranger. */
export function flood(adversary: Adversary): void {
  const { world, random, coalition } = adversary;
  const height = world.history.size + 1;
  const seat = Math.max(0, seatAt(adversary, height));
  const makers: (() => Message | Uint8Array)[] = [
    () => garbage(random),
    () => (coalition.heard.length > 0 ? random.pick(coalition.heard) : garbage(random)),
    () => (coalition.heard.length > 0 ? random.pick(coalition.heard) : garbage(random)),
    () => ({
      kind: "status",
      status: { height: random.below(2 * height), lowest: 1, round: 0, views: [] },
    }),
    () => ({
      kind: "status",
      status: { height: height - 1, lowest: 1, round: random.below(9), views: [] },
    }),
    () => ({ kind: "blocksRequest", from: random.below(height + 2), count: 64 }),
    () => ({ kind: "blocksReply", from: height, blocks: [] }),
    () => ({ kind: "transactions", transactions: [random.bytes(50)] }),
    () => farVote(adversary, height, random.below(2_000)),
    () => farVote(adversary, height + random.below(3), 0),
    () => ({
      kind: "votes",
      votes: [
        {
          kind: 1 + random.below(3),
          height,
          round: random.below(3),
          block: random.bytes(32),
          polRound: random.below(2),
          seat: random.below(2 * seat + 2),
          signature: random.bytes(96),
        },
      ],
    }),
  ];
  const to = random.pick(world.peers);
  const stranger = random.chance(0.7) ? `x${random.below(6)}` : undefined;
  for (let i = 0; i < 6; i++) {
    count(adversary, "message flood");
    const made = random.pick(makers)();
    const bytes = made instanceof Uint8Array ? made : encodeMessage(made);
    adversary.wire(to, bytes, i, stranger);
  }
}

/** A nil precommit of a round that nobody is in. */
function farVote(adversary: Adversary, height: number, round: number): Message {
  const content = {
    kind: voteKinds.precommit,
    height,
    round: round + 20,
    block: zero32,
    polRound: 0,
  };
  return { kind: "votes", votes: [signVote(adversary, content)] };
}
