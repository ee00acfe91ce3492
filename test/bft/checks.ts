// What must hold after every effect of an honest node. Everything is computed anew here, from the bytes and the plan:
// quorum, certificate, contradictions. The code under test is only asked for its codecs and digests.
import { equal, isRejected, keyOf, must } from "@causeway/primitives";
import type { Certificate, Committee, Header, Vote } from "../../chain-core/src/codec/block.ts";
import {
  blockCodec,
  blockId,
  certificateCodec,
  committeeId,
  proposalDigest,
  voteDigest,
  voteKinds,
} from "../../chain-core/src/codec/block.ts";
import { contradiction } from "../../chain-core/src/consensus/accountability.ts";
import { parseRecord } from "../../chain-core/src/consensus/journal.ts";
import type { Evidence } from "../../chain-core/src/consensus/vote-set.ts";
import type { Effect } from "../../chain-core/src/node/machine.ts";
import { parseMessage } from "../../chain-core/src/node/message.ts";
import { evidence } from "../../chain-core/src/node/query.ts";
import { violated } from "../seeds/violation.ts";
import { barredAt, proposerAt, seatsAt } from "./ledger.ts";
import type { Peer, World } from "./model.ts";
import { heightOf, isHonest } from "./model.ts";
import { seatStrategies } from "./strategies.ts";

// ---------------------------------------------------------------- what a node signs

/** Before an honest node's message leaves: its own words are in its journal (CON-1). */
export function checkSaid(world: World, peer: Peer, bytes: Uint8Array): void {
  const message = parseMessage(bytes);
  if (isRejected(message)) violated("no-rubbish", `${peer.name} sends ${message.message}`);
  if (message.kind === "votes")
    for (const vote of message.votes) {
      if (seatsAt(world.plan, vote.height)[vote.seat] !== peer.index) continue;
      if (!peer.journaled.has(keyOf(vote.signature)))
        violated("journal before release", `${peer.name} votes at ${slotOf(vote)}`);
      noteVote(peer, vote);
    }
  if (message.kind !== "proposal" && message.kind !== "compact") return;
  const said = message.kind === "proposal" ? message.proposal : message.compact;
  const { height, round, polRound, signature } = said;
  const { header } = blockCodec.decode("block" in said ? said.block : said.head);
  const id = blockId(world.chain.network, header);
  if (proposerAt(world.plan, height, round) !== peer.index) return;
  if (!peer.journaled.has(keyOf(signature)))
    violated("journal before release", `${peer.name} proposes at ${height}/${round}`);
  const says = `${keyOf(id)}:${polRound}`;
  const before = peer.proposals.get(`${height}/${round}`);
  if (before !== undefined && before !== says)
    violated("nobody proposes twice", `${peer.name} at ${height}/${round}`);
  peer.proposals.set(`${height}/${round}`, says);
}

/** After a record is durable: what it holds is signed. */
export function checkJournal(world: World, peer: Peer, record: Uint8Array): void {
  const entries = parseRecord(record);
  if (isRejected(entries)) violated("journal", `${peer.name} writes ${entries.message}`);
  for (const entry of entries) {
    if (entry.kind === "proposal") peer.journaled.add(keyOf(entry.proposal.signature));
    if (entry.kind !== "vote") continue;
    peer.journaled.add(keyOf(entry.vote.signature));
    if (seatsAt(world.plan, entry.vote.height)[entry.vote.seat] !== peer.index)
      violated("own seat", `${peer.name} signs for seat ${entry.vote.seat}`);
    if (isHonest(peer)) noteVote(peer, entry.vote);
  }
}

function slotOf({ height, round, kind }: Vote): string {
  return `${height}/${round}/${kind === voteKinds.prevote ? "prevote" : "precommit"}`;
}

/** No honest seat is ever convicted by its own votes: not twice in a slot, and no lock broken. */
function noteVote(peer: Peer, vote: Vote): void {
  const known = peer.votes.get(vote.height) ?? [];
  peer.votes.set(vote.height, known);
  for (const other of known) {
    const own = contradictionOf(other, vote);
    if (own !== (contradiction(other, vote) !== undefined))
      violated("one idea of evidence", `${slotOf(other)} and ${slotOf(vote)}`);
    if (own) violated("honest votes agree", `${peer.name}: ${slotOf(other)}, ${slotOf(vote)}`);
    if (sameSlot(other, vote)) return;
  }
  known.push(vote);
}

function sameSlot(a: Vote, b: Vote): boolean {
  return a.height === b.height && a.round === b.round && a.kind === b.kind;
}

/** Two votes of one seat that no honest seat signs both; written without the code that is tested. */
function contradictionOf(a: Vote, b: Vote): boolean {
  if (sameSlot(a, b)) return keyOf(a.block) !== keyOf(b.block) || a.polRound !== b.polRound;
  const nil = "00".repeat(32);
  for (const [lock, later] of [
    [a, b],
    [b, a],
  ] as const) {
    if (lock.kind !== voteKinds.precommit || later.kind !== voteKinds.prevote) continue;
    if (later.round <= lock.round) continue;
    const [locked, voted] = [keyOf(lock.block), keyOf(later.block)];
    if (locked === nil || voted === nil || locked === voted) continue;
    const provenRound = later.polRound - 1;
    if (provenRound <= lock.round) return true;
  }
  return false;
}

// ---------------------------------------------------------------- what a node makes final

/** Before an honest node's block is durable. */
export function checkFinal(world: World, peer: Peer, effect: Effect & { kind: "persist" }): void {
  const { height } = effect;
  if (height !== heightOf(peer) + 1)
    violated("one chain", `${peer.name} persists ${height} after ${heightOf(peer)}`);
  const block = blockCodec.decode(effect.block);
  const certificate = certificateCodec.decode(effect.certificate);
  const id = blockId(world.chain.network, block.header);
  if (!equal(id, effect.id)) violated("one chain", `${peer.name} persists another id at ${height}`);
  const known = world.history.get(height);
  if (known !== undefined && known.id !== keyOf(id))
    violated("agreement", `two final blocks at height ${height}, the second at ${peer.name}`);
  if (known !== undefined && known.root !== keyOf(effect.root))
    violated("one state", `${peer.name} has another root at height ${height}`);
  const committee = world.chain.committeeAt(height);
  checkCertificate(world, committee, certificate, height, id);
  if (known !== undefined) return;
  checkHeader(world, committee, block.header);
  const [parent] = block.certificate;
  if (height > 1 && parent === undefined)
    violated("block", `${height} lacks its parent's certificate`);
  if (parent !== undefined)
    checkCertificate(
      world,
      world.chain.committeeAt(height - 1),
      parent,
      height - 1,
      block.header.parent,
    );
  const root = keyOf(effect.root);
  world.history.set(height, { id: keyOf(id), root, time: block.header.time });
}

function checkHeader(world: World, committee: Committee, header: Header): void {
  const { height } = header;
  const parent = world.history.get(height - 1);
  if (parent === undefined) return;
  if (keyOf(header.parent) !== parent.id) violated("block", `${height} has another parent`);
  if (keyOf(header.stateRoot) !== parent.root) violated("block", `${height} has another state`);
  if (header.time <= parent.time) violated("block", `${height} is older than its parent`);
  if (header.proposer >= committee.members.length) violated("block", `${height} has no proposer`);
  if (!equal(header.committee, committeeId(world.chain.network, committee)))
    violated("block", `${height} names another committee`);
}

function checkCertificate(
  world: World,
  { members }: Committee,
  certificate: Certificate,
  height: number,
  id: Uint8Array,
): void {
  const { round, bitmap, block, signature } = certificate;
  if (certificate.height !== height || !equal(block, id))
    violated("certificate", `that of height ${height} is for another block`);
  if (bitmap.length !== Math.ceil(members.length / 8))
    violated("certificate", `${bitmap.length} bytes of bitmap at height ${height}`);
  const signers = [...bitmap].flatMap((byte, i) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => ((byte >> bit) & 1) === 1).map((bit) => 8 * i + bit),
  );
  const keys: Uint8Array[] = [];
  const barred = barredAt(world.plan, height);
  let power = 0n;
  for (const seat of signers) {
    const member = members[seat];
    if (member === undefined) violated("certificate", `seat ${seat} at height ${height}`);
    keys.push(member.consensusKey);
    if (!barred.includes(seat)) power += member.power;
  }
  const total = members.reduce((sum, member) => sum + member.power, 0n);
  if (3n * power <= 2n * total)
    violated("certificate", `power ${power} of ${total} at height ${height}`);
  const content = { kind: voteKinds.precommit, height, round, block: id, polRound: 0 };
  if (!world.bls.verifyAggregate(keys, voteDigest(world.chain.network, content), signature))
    violated("certificate", `a forged aggregate at height ${height}`);
}

// ---------------------------------------------------------------- who is convicted

/** The evidence of an honest node: true, and never against an honest seat or one that only deserves suspicion. */
export function checkEvidence(world: World, peer: Peer): void {
  if (peer.state === undefined || !isHonest(peer)) return;
  for (const found of evidence(peer.state)) checkOne(world, found);
}

function votesOf(found: Exclude<Evidence, { kind: "double-proposal" }>): readonly [Vote, Vote] {
  return found.kind === "double-vote"
    ? [found.first, found.second]
    : [found.precommit, found.prevote];
}

function checkOne(world: World, found: Evidence): void {
  const { height, seat } = found.kind === "double-proposal" ? found : votesOf(found)[0];
  const culprit = must(seatsAt(world.plan, height)[seat], "seat of evidence");
  const known = world.convicted.get(culprit);
  if (known?.has(`${found.kind} ${height}`) === true) return;
  const peer = must(world.peers[culprit], "convicted peer");
  if (isHonest(peer)) violated("no honest seat is convicted", `${peer.name} of ${found.kind}`);
  const member = must(world.chain.committeeAt(height).members[seat], "member");
  const isSigned = (digest: Uint8Array, signature: Uint8Array): boolean =>
    world.bls.verify(member.consensusKey, digest, signature);
  if (found.kind === "double-proposal") {
    const { round, first, second } = found;
    for (const { block, polRound, signature } of [first, second])
      if (
        !isSigned(
          proposalDigest(world.chain.network, { height, round, block, polRound }),
          signature,
        )
      )
        violated("evidence is signed", `a proposal of ${peer.name} at ${height}/${round}`);
    if (equal(first.block, second.block) && first.polRound === second.polRound)
      violated("evidence contradicts", `proposals of ${peer.name} at ${height}/${round}`);
  } else {
    const [first, second] = votesOf(found);
    for (const vote of [first, second])
      if (vote.seat !== seat || !isSigned(voteDigest(world.chain.network, vote), vote.signature))
        violated("evidence is signed", `a vote of ${peer.name} at ${slotOf(vote)}`);
    if (!contradictionOf(first, second))
      violated("evidence contradicts", `${peer.name} at ${slotOf(first)}`);
  }
  const own = world.plan.byzantine.get(culprit) ?? [];
  if (!own.some((strategy) => seatStrategies[strategy].convicts))
    violated("only contradictions convict", `${peer.name}, who is ${own.join(" and ")}`);
  world.convicted.set(culprit, (known ?? new Set<string>()).add(`${found.kind} ${height}`));
}

/** At the end: nodes at one height hold the same records. */
export function checkStates(world: World): void {
  const texts = new Map<number, string>();
  for (const peer of world.peers.filter(isHonest)) {
    const records = [...peer.disk.store.entries()].map(
      ({ key, value }) => keyOf(key) + keyOf(value),
    );
    const text = records.sort().join();
    const other = texts.get(heightOf(peer));
    if (other !== undefined && other !== text)
      violated("one state", `${peer.name} has other records at height ${heightOf(peer)}`);
    texts.set(heightOf(peer), text);
  }
}
