"""Every call of MLflow's client for tracking, files and models, against MLFLOW_TRACKING_URI. Prints facts as JSON."""

import json
import math
import os
import time
import warnings

warnings.filterwarnings("ignore")
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

client = MlflowClient()
facts = {}


def code_of(call):
    try:
        call()
    except MlflowException as error:
        return error.error_code
    return "no error"


def names(runs):
    return [run.info.run_name for run in runs]


# Experiments
first = client.create_experiment("first", tags={"team": "a"})
second = client.create_experiment("second")
client.set_experiment_tag(first, "note", "two\nlines")
client.delete_experiment_tag(first, "team")
client.rename_experiment(second, "renamed")
client.delete_experiment(second)
facts["deleted"] = [one.name for one in client.search_experiments(view_type=ViewType.DELETED_ONLY)]
client.restore_experiment(second)
facts["experiment"] = client.get_experiment_by_name("first").tags
facts["experiments"] = [
    one.name for one in client.search_experiments(filter_string="name LIKE '%r%'", order_by=["name ASC"])
]
facts["pages"] = [len(client.search_experiments(max_results=2)), client.search_experiments(max_results=2).token is not None]
facts["none"] = client.get_experiment_by_name("no such experiment")
facts["codes"] = {
    "taken": code_of(lambda: client.create_experiment("first")),
    "missing": code_of(lambda: client.get_experiment("987654")),
    "filter": code_of(lambda: client.search_experiments(filter_string="nam = 'x'")),
}

# Runs
mlflow.set_experiment("first")
with mlflow.start_run(run_name="one", tags={"kind": "plain"}, description="a note") as run:
    mlflow.log_param("rate", 0.1)
    mlflow.log_params({"epochs": 3, "optimizer": "sgd"})
    for step in range(5):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    mlflow.log_metrics({"acc": 0.75, "nan": float("nan"), "inf": float("inf"), "low": float("-inf")}, step=4)
    mlflow.set_tags({"a b": "c", "mlflow.x": "1"})
    mlflow.log_dict({"a": [1, 2]}, "conf/a.json")
    mlflow.log_text("text", "notes.txt")
    mlflow.log_input(mlflow.data.from_pandas(pd.DataFrame({"x": [1.0, 2.0]}), name="rows"), context="training")
    one = run.info.run_id
read = client.get_run(one)
facts["status"] = [read.info.status, read.info.end_time is not None, read.info.lifecycle_stage]
facts["params"] = read.data.params
facts["metrics"] = {key: str(value) for key, value in read.data.metrics.items()}
facts["tags"] = {key: read.data.tags.get(key) for key in ["kind", "a b", "mlflow.x", "mlflow.runName", "mlflow.note.content"]}
facts["history"] = [[point.step, point.value] for point in client.get_metric_history(one, "loss")]
facts["dataset"] = [read.inputs.dataset_inputs[0].dataset.name, read.inputs.dataset_inputs[0].tags[0].value]

two = client.create_run(first, run_name="two", start_time=5).info.run_id
client.log_batch(
    two,
    metrics=[Metric("acc", value / 1000, 7, value) for value in range(900)],
    params=[Param("rate", "0.2")],
    tags=[RunTag("kind", "batch")],
)
client.log_param(two, "rate", "0.2")
facts["codes"]["rewritten"] = code_of(lambda: client.log_param(two, "rate", "0.3"))
client.set_tag(two, "gone", "1")
client.delete_tag(two, "gone")
facts["codes"]["no tag"] = code_of(lambda: client.delete_tag(two, "gone"))
facts["codes"]["no run"] = code_of(lambda: client.get_run("0" * 32))
facts["codes"]["bad key"] = code_of(lambda: client.log_metric(two, "../up", 1))
client.update_run(two, status="FINISHED", name="deux")
client.set_terminated(two, "KILLED", end_time=99)
facts["two"] = [client.get_run(two).info.run_name, client.get_run(two).info.status, client.get_run(two).info.end_time]
facts["long history"] = len(client.get_metric_history(two, "acc"))
client.delete_run(two)
facts["codes"]["of deleted"] = code_of(lambda: client.log_metric(two, "x", 1))
client.restore_run(two)

# Logged in the background
with mlflow.start_run(run_name="three") as run:
    waiting = [mlflow.log_metric("acc", value, step=value, synchronous=False) for value in range(20)]
    mlflow.log_params({"rate": "0.3"}, synchronous=False)
    mlflow.set_tag("kind", "async", synchronous=False)
    for one_of_them in waiting:
        one_of_them.wait()
    mlflow.flush_async_logging()
    three = run.info.run_id
facts["async"] = len(client.get_metric_history(three, "acc"))

# Searches
search = lambda text, **more: sorted(names(client.search_runs([first], text, **more)))
facts["search"] = {
    text.replace(one, "ONE").replace(three, "THREE"): search(text)
    for text in [
        "",
        "metrics.acc > 0.8",
        "metrics.acc >= 0.75 and metrics.acc < 1",
        "metrics.acc != 0.75",
        "metrics.acc = 19",
        "metrics.acc <= 0.75",
        "params.rate = '0.1'",
        "params.rate != '0.1'",
        "params.optimizer LIKE 's%'",
        "params.optimizer ILIKE 'S_D'",
        "params.rate IN ('0.1', '0.3')",
        "tags.`a b` = 'c'",
        'tags."mlflow.x" = "1"',
        "attributes.run_name = 'deux'",
        f"attributes.run_id IN ('{one}', '{three}')",
        f"run_id NOT IN ('{one}')",
        "attributes.status = 'KILLED'",
        "attributes.start_time > 5",
        "dataset.name = 'rows'",
        "datasets.context = 'training' and tags.kind = 'plain'",
    ]
}
facts["order"] = names(client.search_runs([first], order_by=["metrics.acc DESC"]))
facts["order of params"] = names(client.search_runs([first], order_by=["params.optimizer", "params.rate DESC"]))
page = client.search_runs([first], max_results=2, order_by=["metrics.acc ASC"])
facts["run pages"] = [names(page), names(client.search_runs([first], max_results=2, order_by=["metrics.acc ASC"], page_token=page.token))]
facts["table"] = sorted(mlflow.search_runs(experiment_names=["first"])["params.rate"].dropna())
facts["codes"]["bad filter"] = code_of(lambda: client.search_runs([first], "acc > 1"))

# Files
facts["files"] = [[one_file.path, one_file.is_dir, one_file.file_size] for one_file in client.list_artifacts(one)]
facts["folder"] = [[one_file.path, one_file.is_dir] for one_file in client.list_artifacts(one, "conf")]
facts["of a file"] = client.list_artifacts(one, "notes.txt")
facts["read"] = mlflow.artifacts.load_dict(f"runs:/{one}/conf/a.json")
facts["text"] = mlflow.artifacts.load_text(client.get_run(one).info.artifact_uri + "/notes.txt")
large = os.urandom(3_000_000)
with open("large.bin", "wb") as file:
    file.write(large)
with open("empty.bin", "wb") as file:
    pass
client.log_artifact(one, "large.bin", "deep/er")
client.log_artifact(one, "empty.bin")
local = mlflow.artifacts.download_artifacts(run_id=one, artifact_path="deep")
facts["large"] = open(os.path.join(local, "er", "large.bin"), "rb").read() == large
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

repository = get_artifact_repository(client.get_run(one).info.artifact_uri)
repository.delete_artifacts("deep")
facts["after deletion"] = [one_file.path for one_file in client.list_artifacts(one)]


# Models
class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input * 2


with mlflow.start_run(run_name="four") as run:
    logged = mlflow.pyfunc.log_model(
        name="doubles",
        python_model=Doubles(),
        registered_model_name="doubles",
        pip_requirements=["mlflow"],
        params={"depth": "2"},
    )
    mlflow.log_metric("acc", 0.5, model_id=logged.model_id)
table = pd.DataFrame({"x": [1.0, 2.0]})
facts["predicted"] = list(mlflow.pyfunc.load_model(logged.model_uri).predict(table)["x"])
facts["by version"] = list(mlflow.pyfunc.load_model("models:/doubles/1").predict(table)["x"])
model = client.get_logged_model(logged.model_id)
facts["logged model"] = [model.name, str(model.status), model.params.get("depth"), [metric.value for metric in model.metrics]]
client.set_logged_model_tags(logged.model_id, {"x": "y"})
client.log_model_params(logged.model_id, {"more": "1"})
client.set_logged_model_tags(logged.model_id, {"gone": "y"})
client.delete_logged_model_tag(logged.model_id, "gone")
facts["logged tags"] = client.get_logged_model(logged.model_id).tags.get("x")
facts["logged search"] = [
    one_model.name
    for one_model in client.search_logged_models([first], filter_string="params.depth = '2' AND metrics.acc >= 0.5")
]
facts["outputs"] = [output.model_id == logged.model_id for output in client.get_run(run.info.run_id).outputs.model_outputs]
client.set_registered_model_alias("doubles", "champion", 1)
facts["by alias"] = list(mlflow.pyfunc.load_model("models:/doubles@champion").predict(table)["x"])
facts["aliases"] = list(client.get_model_version("doubles", 1).aliases)
version = client.create_model_version("doubles", f"models:/{logged.model_id}", run.info.run_id, tags={"t": "1"}, description="d")
facts["version"] = [str(version.version), version.status, version.current_stage, version.tags, version.description]
client.update_model_version("doubles", 2, "better")
client.set_model_version_tag("doubles", 2, "k", "v")
client.delete_model_version_tag("doubles", 2, "t")
client.transition_model_version_stage("doubles", 1, "Production")
client.transition_model_version_stage("doubles", 2, "Production", archive_existing_versions=True)
facts["stages"] = {str(one_version.version): one_version.current_stage for one_version in client.search_model_versions("name = 'doubles'")}
facts["latest"] = [str(one_version.version) for one_version in client.get_latest_versions("doubles", ["Production"])]
facts["second"] = [client.get_model_version("doubles", "2").description, client.get_model_version("doubles", "2").tags]
facts["uri"] = client.get_model_version_download_uri("doubles", 2).startswith("mlflow-artifacts:/")
facts["codes"]["no alias"] = code_of(lambda: client.get_model_version_by_alias("doubles", "none"))
facts["codes"]["no model"] = code_of(lambda: client.get_registered_model("none"))
client.delete_registered_model_alias("doubles", "champion")
client.create_registered_model("plain", {"a": "b"}, "words")
facts["codes"]["model taken"] = code_of(lambda: client.create_registered_model("plain"))
client.update_registered_model("plain", "other words")
client.set_registered_model_tag("plain", "c", "d")
client.delete_registered_model_tag("plain", "a")
client.rename_registered_model("plain", "simple")
facts["registered"] = [client.get_registered_model("simple").description, client.get_registered_model("simple").tags]
facts["models"] = [one_model.name for one_model in client.search_registered_models("name ILIKE '%S%'", order_by=["name DESC"])]
copied = client.copy_model_version("models:/doubles/1", "copies")
facts["copied"] = list(mlflow.pyfunc.load_model(f"models:/copies/{copied.version}").predict(table)["x"])
client.delete_model_version("doubles", 2)
facts["codes"]["no version"] = code_of(lambda: client.get_model_version("doubles", 2))
client.delete_registered_model("doubles")
client.delete_logged_model(logged.model_id)
facts["codes"]["no logged model"] = code_of(lambda: client.get_logged_model(logged.model_id))
facts["left"] = [one_model.name for one_model in client.search_registered_models()]
print(json.dumps(facts))
