import type { EvidenceStore, Store } from "#coordinator/core/ports/ports.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { MemoryDatabase } from "./memory-database.ts";

type TranscriptQueries = EvidenceStore &
  Pick<
    Store,
    | "saveTranscript"
    | "keepOpenings"
    | "loadTranscript"
    | "findTranscript"
    | "loadOpenings"
    | "listTranscripts"
    | "deleteTranscript"
  >;

/** The part of `memoryStore` that keeps rounds for an auditor. */
export function memoryTranscripts(db: MemoryDatabase, turn: () => Promise<void>): TranscriptQueries {
  return {
    saveTranscript: async (transcript) => {
      await turn();
      if (!db.transcripts.has(transcript.sid)) db.transcripts.set(transcript.sid, transcript);
    },
    keepOpenings: async (sid, sealed) => {
      await turn();
      assert(db.transcripts.has(sid), "openings are kept with their transcript");
      db.openings.set(sid, new Map([...sealed, ...(db.openings.get(sid) ?? [])]));
      for (const key of db.material.keys()) if (key.startsWith(`${sid} `)) db.material.delete(key);
    },
    loadTranscript: async (roundId, shard) => {
      await turn();
      const all = [...db.transcripts.values()];
      return all.find((row) => row.roundId === roundId && row.shard === shard) ?? null;
    },
    findTranscript: async (roundId, shard) => {
      await turn();
      const all = [...db.transcripts.values()];
      return all.find((row) => row.roundId === roundId && row.shard === shard)?.sid ?? null;
    },
    loadOpenings: async (sid) => {
      await turn();
      const kept = [...(db.openings.get(sid) ?? [])];
      return new Map(kept.sort(([left], [right]) => left - right));
    },
    listTranscripts: async () => {
      await turn();
      const all = [...db.transcripts.values()].reverse();
      const phaseOf = (roundId: string) => db.rounds.get(roundId)?.phase ?? null;
      return all.map(({ sid, roundId, task, shard }) => ({
        ...{ sid, roundId, task, shard },
        phase: phaseOf(roundId),
      }));
    },
    deleteTranscript: async (sid) => {
      await turn();
      db.transcripts.delete(sid);
      db.openings.delete(sid);
    },
    saveEvidence: async (sid, { salt, words }) => {
      await turn();
      const stands = db.evidence.get(sid) ?? { salt: salt.slice(), words: words.slice(), sealed: null };
      db.evidence.set(sid, stands);
      return { salt: stands.salt, words: stands.words };
    },
    loadEvidence: async (sid) => {
      await turn();
      const row = db.evidence.get(sid);
      return row === undefined ? null : { salt: row.salt, words: row.words };
    },
    sealEvidence: async (sid, sealed) => {
      await turn();
      const row = present(db.evidence.get(sid), `evidence of session ${sid}`);
      db.evidence.set(sid, { ...row, sealed: row.sealed ?? sealed.slice() });
    },
    loadSealedEvidence: async (sid) => {
      await turn();
      return db.evidence.get(sid)?.sealed ?? null;
    },
    deleteEvidence: async (sid) => {
      await turn();
      db.evidence.delete(sid);
    },
  };
}
