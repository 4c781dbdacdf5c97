import { present } from "#shared/kernel/assert.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { Log } from "../ports/ports.ts";
import type { ActWriter } from "./act-writer.ts";
import * as proposals from "./acts/proposals.ts";
import type { ProposalRow } from "./rows.ts";

/**
 * Deletes all that a project has, after `agreed` has written what will be deleted. Nothing is deleted if that fails.
 * Errors: those of `agreed`; CONFLICT while one of its runs is open.
 */
export type DeleteProjectData = (
  projectId: string,
  agreed: (counts: NonNullable<ProposalRow["owed"]>) => Promise<Result<void, WireError>>,
) => Promise<Result<void, WireError>>;

/**
 * Deletions that two people agreed to: the agreement is written first, then the data goes, then the log says that it is
 * gone. One that was cut short is done again (X89). Everything here runs in the writer's turn.
 */
export class ProjectDeletions {
  readonly #writer: ActWriter;
  readonly #log: Log;
  #delete: DeleteProjectData = () => Promise.resolve(err(wireError("UNAVAILABLE")));

  constructor(writer: ActWriter, log: Log) {
    this.#writer = writer;
    this.#log = log;
  }

  use(deleteProjectData: DeleteProjectData): void {
    this.#delete = deleteProjectData;
  }

  async agree(proposalId: string, projectId: string, actor: string): Promise<Result<void, WireError>> {
    let isAgreed = false;
    try {
      const deleted = await this.#delete(projectId, async (counts) => {
        const agreed = await this.#writer.write(
          proposals.agree(this.#writer.sight(), proposalId, actor, counts),
        );
        isAgreed = agreed.ok;
        return agreed;
      });
      if (!deleted.ok) return deleted;
    } catch (error) {
      if (!isAgreed) throw error;
      this.#failed(projectId, error);
      return ok(undefined);
    }
    const owed = proposals
      .owedDeletions(this.#writer.book)
      .find(({ proposal }) => proposal.proposalId === proposalId);
    return this.#writer.write(
      proposals.deletionDone(this.#writer.sight(), present(owed, "the deletion just agreed to")),
    );
  }

  async finish(): Promise<void> {
    for (const owed of proposals.owedDeletions(this.#writer.book)) {
      const { projectId } = owed;
      try {
        const deleted = await this.#delete(projectId, async () => ok(undefined));
        if (deleted.ok) await this.#writer.write(proposals.deletionDone(this.#writer.sight(), owed));
        else this.#failed(projectId, deleted.error.code);
      } catch (error) {
        this.#failed(projectId, error);
        if (!this.#writer.isCurrent) return;
      }
    }
  }

  #failed(projectId: string, error: unknown): void {
    this.#log.error(
      { projectId, error: String(error) },
      "a deletion that was agreed to is not done; it is tried again",
    );
  }
}
