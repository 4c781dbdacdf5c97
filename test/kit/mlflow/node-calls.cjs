/* Every call that the npm package `mlflow` has, against the server of MLFLOW_TRACKING_URI. Prints what came of each as JSON. */

const MLflow = require("mlflow");
const { RunStatus, ViewType } = require("mlflow/enum");

const endpoint = process.env.MLFLOW_TRACKING_URI;
const headers = { Authorization: `Bearer ${process.env.MLFLOW_TRACKING_TOKEN}` };
const { Experiments, Runs, Metrics, Artifacts } = new MLflow({ endpoint, headers });
const facts = {};

async function codeOf(call) {
  try {
    await call();
    return "answered";
  } catch (error) {
    const { status, data } = JSON.parse(String(error.message).replace(/^Error: /, ""));
    return `${status} ${data?.error_code ?? data?.error?.code}`;
  }
}

async function main() {
  const { experiment_id } = await Experiments.create({ name: "of node" });
  await Experiments.update({ experiment_id, new_name: "renamed" });
  await Experiments.delete({ experiment_id });
  await Experiments.restore({ experiment_id });
  const { experiment } = await Experiments.get({ experiment_id });
  facts.experiment = [experiment.name, experiment.lifecycle_stage];

  const tags = [{ key: "kind", value: "plain" }];
  const { run } = await Runs.create({ experiment_id, user_id: "ada", start_time: 5, tags });
  const { run_id } = run.info;
  await Runs.logMetric({ run_id, key: "acc", value: 0.5, timestamp: 1, step: 0 });
  await Runs.logMetric({ run_id, key: "acc", value: 0.75, timestamp: 2, step: 1 });
  await Runs.logParameter({ run_id, key: "rate", value: "0.1" });
  await Runs.logBatch({
    run_id,
    metrics: [{ key: "loss", value: 0.2, timestamp: 3, step: 1 }],
    params: [{ key: "epochs", value: "3" }],
    tags: [{ key: "gone", value: "x" }],
  });
  await Runs.setTag({ run_id, key: "more", value: "y" });
  await Runs.deleteTag({ run_id, key: "gone" });
  await Runs.update({ run_id, status: RunStatus.FINISHED, end_time: 9 });
  await Runs.delete({ run_id });
  await Runs.restore({ run_id });
  const { info, data } = (await Runs.get({ run_id })).run;
  facts.run = [info.user_id, info.status, info.start_time, info.end_time, info.lifecycle_stage];
  const entries = (list) => Object.fromEntries(list.map(({ key, value }) => [key, value]));
  const { "mlflow.runName": runName, ...own } = entries(data.tags);
  facts.data = [entries(data.metrics), entries(data.params), own, typeof runName];
  const found = await Runs.search({
    experiment_ids: [experiment_id],
    filter: "metrics.acc > 0.7 and params.rate = '0.1'",
    run_view_type: ViewType.ACTIVE_ONLY,
    max_results: 5,
    order_by: ["metrics.acc DESC"],
  });
  facts.found = found.runs.map((one) => one.info.run_id === run_id);
  facts.history = (await Metrics.getHistory({ run_id, metric_key: "acc" })).metrics.map(({ value }) => value);
  facts.files = (await Artifacts.list({ run_id })).files;
  facts.refused = {
    "no run": await codeOf(() => Runs.get({ run_id: "none" })),
    "a param again": await codeOf(() => Runs.logParameter({ run_id, key: "rate", value: "0.2" })),
    "Experiments.list": await codeOf(() => Experiments.list()),
    "Experiments.setExperimentTag": await codeOf(() =>
      Experiments.setExperimentTag({ experiment_id, key: "a", value: "b" }),
    ),
  };
  console.log(JSON.stringify(facts));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
