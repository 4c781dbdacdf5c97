interface WholeAxisProps {
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

/** Shows all values of a chart whose axis leaves some out. */
export function WholeAxis({ isOn, onChange }: WholeAxisProps) {
  return (
    <button type="button" className="link" aria-pressed={isOn} onClick={() => onChange(!isOn)}>
      Whole axis
    </button>
  );
}
