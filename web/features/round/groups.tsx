import type { RoundDetail } from "#shared/protocol/api.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { NamedList } from "../../ui/show-more.tsx";
import { formatCount } from "../../words/format.ts";
import { groupState, groupsSentence } from "../../words/groups.ts";

type Group = NonNullable<RoundDetail["shardList"]>[number];

const known = (count: number | null) => (count === null ? "none" : formatCount(count));

const COLUMNS: readonly TableColumn<Group>[] = [
  { label: "Group", cell: ({ shard }) => `Group ${shard + 1}` },
  { label: "Devices", numeric: true, cell: ({ advertised }) => known(advertised) },
  { label: "Shared keys", numeric: true, cell: ({ shared }) => known(shared) },
  { label: "In its sum", numeric: true, cell: ({ survivors }) => known(survivors) },
  { label: "Needed", numeric: true, cell: ({ threshold }) => known(threshold) },
  { label: "State", cell: groupState },
];
const SHOWN_FIRST = 12;

/** The groups of a split round, those left out first. Empty if the round is one sum. */
export function Groups({ round }: { readonly round: RoundDetail }) {
  const { shardList, phase } = round;
  if (shardList === undefined) return null;
  const leftOutFirst = shardList.toSorted(
    (left, right) => Number(left.leftOut === null) - Number(right.leftOut === null),
  );
  return (
    <Section
      id="groups"
      title="Groups"
      note="A large round is split by chance; each group has its own keys and its own sum."
    >
      <p className="mb-4 max-w-[44rem]">{groupsSentence(shardList, phase)}</p>
      <NamedList name="groups" items={leftOutFirst} first={SHOWN_FIRST}>
        {(shown) => (
          <DataTable
            caption="Groups"
            columns={COLUMNS}
            rows={shown}
            rowKey={({ shard }) => String(shard)}
            records
          />
        )}
      </NamedList>
    </Section>
  );
}
