import type { Permission } from "#coordinator/core/access/permissions.ts";

/*
 * Who may do what, written by hand: the oracle of the table of permissions and of every endpoint. One letter for each
 * sort of asker:
 *
 * | letter  | who                                                                                          |
 * | ------- | -------------------------------------------------------------------------------------------- |
 * | n       | nobody, or whose session has ended                                                           |
 * | i j w x | holds a join token: of the task, of its project, of another task, of another project          |
 * | d e     | a device that is logged in for the task, for another                                         |
 * | k       | holds the auditor's key                                                                      |
 * | r u a   | a researcher, an auditor of the project; an admin                                            |
 * | o p     | a researcher, an auditor of another project                                                  |
 * | z       | a person whose roles were taken while a request was under way                                |
 * | s       | an admin who has not proved it lately                                                        |
 * | 1 to 5  | a token of an admin and auditor with one scope: read, runs, tasks, audit, metrics            |
 * | 6       | a token of a researcher of another project, with the scope runs                              |
 */
const EVERYONE = "nijwxdekruaopzs123456";

/** Who may: for a public task of the project, for one by invitation, and for the coordinator as a whole. */
export const WHO_MAY: Readonly<Record<Permission, readonly [open: string, invited: string, whole: string]>> =
  {
    public: [EVERYONE, EVERYONE, EVERYONE],
    "tasks.read": [EVERYONE, "ijdkruas1", EVERYONE],
    "models.read": [EVERYONE, "ijdkruas1", EVERYONE],
    "rounds.look-up": [EVERYONE, "ijdkruas1", EVERYONE],
    "tasks.create": ["ras3", "ras3", "raos3"],
    "tasks.settings": ["ras3", "ras3", "raos3"],
    "models.name": ["ras3", "ras3", "raos3"],
    "runs.read": ["kruas1", "kruas1", "kruaops1"],
    "runs.launch": ["ras2", "ras2", "raos26"],
    "runs.act": ["ras2", "ras2", "raos26"],
    "transcripts.read": ["ku4", "ku4", "kup4"],
    "tracking.read": ["ruas1", "ruas1", "ruaops1"],
    "tracking.write": ["ras2", "ras2", "raos26"],
    "inputs.send": [EVERYONE, EVERYONE, EVERYONE],
    "operations.read": ["as5", "as5", "as5"],
    "devices.log-in": [EVERYONE, EVERYONE, EVERYONE],
    "rounds.take-part": ["de", "de", "de"],
    "sessions.open": [EVERYONE, EVERYONE, EVERYONE],
    "session.own": ["ruas1", "ruas1", "ruaops1"],
    "credentials.own": ["rua", "rua", "ruaop"],
    "tokens.own": ["rua", "rua", "ruaop"],
    "join-tokens.read": ["ras1", "ras1", "raos1"],
    "join-tokens.manage": ["ras3", "ras3", "raos3"],
    "sites.manage": ["as3", "as3", "as3"],
    "auditor-pass": [EVERYONE, EVERYONE, EVERYONE],
    "people.read": ["as", "as", "as"],
    "people.manage": ["a", "a", "a"],
    "proposals.decide": ["a", "a", "a"],
  };
