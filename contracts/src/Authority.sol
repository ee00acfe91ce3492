// SPDX-License-Identifier: MIT
// Who may speak at Gateway: the ring by its key, in one sequence of nonces (ETH-1), and the
// guardians, who can pause for a while and take over from a ring that is silent (ETH-3, GOV-2).
pragma solidity 0.8.37;

import {Bip340} from "./Bip340.sol";
import {GuardianQuorum} from "./GuardianQuorum.sol";
import {IGateway, Quorum, Signature} from "./IGateway.sol";
import {RingWord, SPAN, WINDOW_MAX} from "./Words.sol";

abstract contract Authority is GuardianQuorum {
    // SHA-256 of the tags "causeway/eth-<what>/v1" (FMT-1).
    bytes32 private constant SET_KEY =
        0x25cebf04cf436edf01e46b3087e95ca834d0d414bd8bc38eaae50930c674f4d6;
    bytes32 private constant HEARTBEAT =
        0xfa436665c7bb89d80680c36d04b1647e7b1357016bb0fac14dcf0b38c46d3cbd;
    bytes32 private constant SET_PAUSE =
        0x92d852a1441dad8aa5702c103b27ea870e8927ef0846042924fcbb57b29cba70;

    uint8 private constant DIRECTION_IN = 1;
    uint8 private constant DIRECTION_OUT = 2;
    /// @dev GOV-2.
    uint256 private constant PAUSE = 7 days;
    /// @dev From the start of one pause by guardians to the next, unless the ring allows it before.
    uint256 private constant PAUSE_AGAIN = 14 days;
    /// @dev ETH-3.
    uint256 private constant SILENCE = 60 days;
    uint256 private constant OPEN = 14 days;

    /// @dev What batches do not read.
    struct Rare {
        uint40 inPausedUntil;
        uint40 outPausedUntil;
        uint40 inPauseFrom;
        uint40 outPauseFrom;
        uint64 guardianNonce;
        uint32 keyId;
    }

    struct Recovery {
        uint32 keyId;
        uint40 proposedAt;
        bytes32 px;
    }

    bytes32 public immutable override networkId;

    RingWord internal ring;
    Rare private rare;
    bytes32 private px;
    mapping(uint256 window => uint256) private windows;
    Recovery private recovery;
    /// @dev A whole word: a bool would be read before it is written.
    uint256 private transient locked;

    /// @dev On everything that writes: _pay keeps a token's slot in memory across a foreign call.
    modifier lock() {
        if (locked != 0) revert Locked();
        locked = 1;
        _;
        locked = 0;
    }

    constructor(bytes32 network, uint32 keyId, bytes32 keyX) {
        networkId = network;
        ring = ring.signed(block.timestamp);
        _installKey(0, keyId, keyX);
    }

    // ------------------------------------------------------------------ the ring

    /// @inheritdoc IGateway
    function setKey(
        uint32 keyId,
        uint64 nonce,
        uint32 newKeyId,
        bytes32 newPx,
        Signature calldata signature
    ) external override lock {
        bytes memory message =
            abi.encode(block.chainid, address(this), keyId, nonce, newKeyId, newPx);
        _runMessage(SET_KEY, message, nonce, signature);
        _installKey(nonce, newKeyId, newPx);
    }

    /// @inheritdoc IGateway
    function heartbeat(uint32 keyId, uint64 nonce, Signature calldata signature)
        external
        override
        lock
    {
        bytes memory message = abi.encode(block.chainid, address(this), keyId, nonce);
        _runMessage(HEARTBEAT, message, nonce, signature);
    }

    /// @inheritdoc IGateway
    function setPause(
        uint32 keyId,
        uint64 nonce,
        uint40 inUntil,
        uint40 outUntil,
        Signature calldata signature
    ) external override lock {
        bytes memory message =
            abi.encode(block.chainid, address(this), keyId, nonce, inUntil, outUntil);
        _runMessage(SET_PAUSE, message, nonce, signature);
        rare.inPausedUntil = inUntil;
        rare.inPauseFrom = 0;
        rare.outPauseFrom = 0;
        rare.outPausedUntil = outUntil;
        ring = ring.withPause(outUntil > block.timestamp);
        emit PauseSet(inUntil, outUntil);
    }

    function _runMessage(
        bytes32 tag,
        bytes memory message,
        uint64 nonce,
        Signature calldata signature
    ) internal {
        bytes32 digest = _digest(tag, message);
        _authorise(ring, nonce, digest, signature);
        emit Executed(nonce, digest, 0, msg.sender);
    }

    /// @dev FMT-1: H(what, m) with the hash of the tag at hand.
    function _digest(bytes32 tag, bytes memory message) internal view returns (bytes32) {
        return sha256(abi.encodePacked(tag, tag, networkId, message));
    }

    /// @dev Uses up the nonce, beats the heart, and reverts unless the present key signed the
    /// digest. The key id needs no comparison: it is in the digest, and the key signs for its own
    /// id only.
    function _authorise(
        RingWord current,
        uint64 nonce,
        bytes32 digest,
        Signature calldata signature
    ) internal {
        if (!current.isKey(signature.px)) revert BadKey();
        if (!Bip340.verify(signature.px, digest, signature.rx, signature.ry, signature.s)) {
            revert BadSignature();
        }
        uint256 window = nonce / SPAN;
        uint256 bit = 1 << (nonce % SPAN);
        uint256 newest = current.window();
        if (nonce == 0) revert BadNonce(nonce);
        if (window == newest) {
            if (current.bitmap() & bit != 0) revert BadNonce(nonce);
            current = current.withBit(bit);
        } else if (window > newest) {
            if (window > WINDOW_MAX) revert BadNonce(nonce);
            windows[newest] = current.bitmap();
            current = current.withWindow(window, bit);
        } else {
            uint256 bitmap = windows[window];
            if (bitmap & bit != 0) revert BadNonce(nonce);
            windows[window] = bitmap | bit;
        }
        ring = current.signed(block.timestamp);
    }

    function _installKey(uint64 nonce, uint32 keyId, bytes32 keyX) internal {
        if (keyId <= rare.keyId || !Bip340.isKey(keyX)) revert BadKey();
        rare.keyId = keyId;
        px = keyX;
        ring = ring.withKey(keyX);
        emit KeySet(nonce, keyId, keyX);
    }

    function _requireOpenOut() internal view {
        uint40 until = rare.outPausedUntil;
        if (block.timestamp < until) revert Paused(until);
    }

    function _requireOpenIn() internal view {
        uint40 until = rare.inPausedUntil;
        if (block.timestamp < until) revert Paused(until);
    }

    // ------------------------------------------------------------------ guardians

    /// @inheritdoc IGateway
    function pause(uint8 directions, Quorum calldata quorum) external override lock {
        if (directions == 0 || directions > 3) revert BadQuorum();
        _requireQuorum(keccak256(abi.encode(PAUSE_TYPE, directions, _nextNonce())), quorum);
        uint40 until = uint40(block.timestamp + PAUSE);
        uint40 again = uint40(block.timestamp + PAUSE_AGAIN);
        if (directions & DIRECTION_IN != 0) {
            if (block.timestamp < rare.inPauseFrom) revert TooEarly(rare.inPauseFrom);
            rare.inPauseFrom = again;
            if (until > rare.inPausedUntil) rare.inPausedUntil = until;
        }
        if (directions & DIRECTION_OUT != 0) {
            if (block.timestamp < rare.outPauseFrom) revert TooEarly(rare.outPauseFrom);
            rare.outPauseFrom = again;
            if (until > rare.outPausedUntil) rare.outPausedUntil = until;
            ring = ring.withPause(true);
        }
        emit PauseSet(rare.inPausedUntil, rare.outPausedUntil);
    }

    /// @inheritdoc IGateway
    function proposeRecovery(uint32 newKeyId, bytes32 newPx, Quorum calldata quorum)
        external
        override
        lock
    {
        bytes32 structHash = keccak256(abi.encode(RECOVER_TYPE, newKeyId, newPx, _nextNonce()));
        _requireQuorum(structHash, quorum);
        uint256 from = lastSignatureAt() + SILENCE;
        if (block.timestamp < from) revert TooEarly(from);
        if (newKeyId <= rare.keyId || !Bip340.isKey(newPx)) revert BadKey();
        recovery = Recovery(newKeyId, uint40(block.timestamp), newPx);
        emit RecoveryProposed(newKeyId, newPx, block.timestamp + OPEN);
    }

    /// @inheritdoc IGateway
    function recover() external override lock {
        Recovery memory next = recovery;
        // Any signature since the proposal has called it off, also one in the same block.
        if (next.proposedAt == 0 || lastSignatureAt() >= next.proposedAt) revert BadKey();
        uint256 dueAt = next.proposedAt + OPEN;
        if (block.timestamp < dueAt) revert TooEarly(dueAt);
        delete recovery;
        _installKey(0, next.keyId, next.px);
    }

    function _nextNonce() internal returns (uint64) {
        return rare.guardianNonce++;
    }

    // ------------------------------------------------------------------ readers

    /// @inheritdoc IGateway
    function key() external view override returns (uint32, bytes32) {
        return (rare.keyId, px);
    }

    /// @inheritdoc IGateway
    function isUsed(uint64 nonce) external view override returns (bool) {
        uint256 window = nonce / SPAN;
        uint256 bitmap = window == ring.window() ? ring.bitmap() : windows[window];
        return bitmap >> (nonce % SPAN) & 1 == 1;
    }

    /// @inheritdoc IGateway
    function lastSignatureAt() public view override returns (uint256) {
        return ring.signedAt();
    }

    /// @inheritdoc IGateway
    function pausedUntil() external view override returns (uint40, uint40) {
        return (rare.inPausedUntil, rare.outPausedUntil);
    }

    /// @inheritdoc IGateway
    function guardianNonce() external view override returns (uint64) {
        return rare.guardianNonce;
    }

    function _salt() internal view override returns (bytes32) {
        return networkId;
    }
}
