"""What a hub says about Spark, and what it hears where Spark, Java or the cluster is missing."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from ctdhub.core import errors
from ctdhub.core.errors import HubError, IdentifierFound, SparkError, UnreadableFile
from ctdhub.core.i18n import Text
from ctdhub.hub import init, pipeline
from ctdhub.hub.folder import Hub, SparkSettings
from ctdhub.hub.spark import people
from ctdhub.hub.spark.people import Shared, attempt, code_hash
from ctdhub.hub.steps import Step


@pytest.mark.parametrize(
    "master", ["local", "local[*]", "local[2]", "spark://a:7077", "sc://a:15002/;use_ssl=true"]
)
def test_masters(master: str) -> None:
    assert SparkSettings(master=master).master == master


@pytest.mark.parametrize("master", ["local[0]", "yarn", "http://a", "spark:// a", ""])
def test_no_masters(master: str) -> None:
    with pytest.raises(ValidationError):
        SparkSettings(master=master)


def test_settings_of_spark_are_texts_and_win() -> None:
    read = yaml.safe_load("{config: {spark.speculation: true, spark.executor.cores: 2}}")
    made = people.config(SparkSettings.model_validate(read))
    assert made["spark.speculation"] == "true"
    assert made["spark.executor.cores"] == "2"
    assert made["spark.io.encryption.enabled"] == "true"
    with pytest.raises(ValidationError):
        SparkSettings(config={"hadoop.x": "1"})


def test_what_crosses_the_network_is_encrypted() -> None:
    """A hub that asks for less is refused, and so is a far server without TLS."""
    for master in ("local[*]", "spark://a:7077"):
        made = people.config(SparkSettings(master=master))
        assert {made[name] for name in people.SECURE if name.endswith("enabled")} >= {"true"}
        assert made["spark.authenticate"] == "true"
        assert made["spark.ui.enabled"] == "false"
    for name, value in people.SECURE.items():
        other = "1" if value == "2" else str(value == "false").lower()
        with pytest.raises(SparkError) as caught:
            people.config(SparkSettings(config={name: other}))
        assert caught.value.rule == "spark-open"
    with pytest.raises(SparkError):
        people.config(SparkSettings(master="sc://a.example.org:15002"))
    assert people.config(SparkSettings(master="sc://a.example.org:15002/;use_ssl=true"))


def refused(hub: Hub) -> SparkError:
    with pytest.raises(SparkError) as caught:
        pipeline.build(hub, until="harmonise")
    assert caught.value.fix
    return caught.value


def test_missing_pieces_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is derived then, and the same hub builds with DuckDB."""
    hub = init.practice_hub(tmp_path / "hub", people=1_000)
    file = hub.root / "hub.yaml"
    plain = file.read_text("utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(people, "find_spec", lambda name: None)
        file.write_text(plain + "engine: spark\n", "utf-8")
        assert refused(hub).rule == "spark-extra"
    with monkeypatch.context() as patch:
        patch.setattr(people, "find_spec", lambda name: object())
        patch.setenv("PATH", str(tmp_path))
        patch.delenv("JAVA_HOME", raising=False)
        assert refused(hub).rule == "spark-java"
    assert not list(hub.work.glob("harmonised/*/*/*"))
    file.write_text(plain, "utf-8")
    assert pipeline.build(hub, until="harmonise")


def test_a_cluster_that_is_not_there_is_told_at_once() -> None:
    pytest.importorskip("pyspark")
    for master in ("sc://127.0.0.1:1", "spark://127.0.0.1:1"):
        with (
            pytest.raises(SparkError) as caught,
            people.failing(people._not_started, (OSError,)),
        ):
            people._reach(master)
        assert caught.value.rule == "spark-start"


@pytest.mark.parametrize("kind", [HubError, UnreadableFile, IdentifierFound, SparkError])
def test_errors_cross_processes(kind: type[HubError]) -> None:
    error = kind(Text("what"), Text("fix"), file="a/b.csv", row=3, column="C", rule="r")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), vars(again), again.args) == (str(error), vars(error), error.args)
    assert errors.HubError.exit_code == again.exit_code


def test_a_worker_elsewhere_refuses(tmp_path: Path) -> None:
    """It sees no probe, or has other code: then nothing is done, and the language is the hub's."""
    worked: list[int] = []
    probe = tmp_path / "probe"
    for where, rule in (
        (Shared(probe, code_hash(), "fr"), "spark-shared"),
        (Shared(Path(__file__), code_hash(), "fr"), "spark-shared"),
        (Shared(tmp_path, "other", "fr"), "spark-version"),
    ):
        fault = attempt(where, lambda: worked.append(1))
        assert isinstance(fault, SparkError)
        assert fault.rule == rule
    probe.mkdir()
    assert attempt(Shared(probe, code_hash(), "fr"), lambda: 7) == 7
    assert not worked

    def stumble() -> None:
        raise KeyError("a value of a case")

    with pytest.raises(RuntimeError, match=r"^KeyError$"):  # what the worker's log will say
        attempt(Shared(tmp_path, code_hash(), "en"), stumble)


def test_a_step_that_runs_twice_at_once_is_done_once(tmp_path: Path) -> None:
    """As where a cluster runs a slow task again: whoever is later finds it done."""
    both = threading.Barrier(2)

    def run(fresh: Path) -> None:
        (fresh / "out.txt").write_text("same", "utf-8")
        both.wait(60)

    step = Step("write", {"value": "a"}, tmp_path / "out", run)
    done: list[object] = []

    def refresh() -> None:
        try:
            done.append(step.refresh())
        except OSError as error:  # both renamed at the same moment: a cluster tries again
            done.append(error)

    tasks = [threading.Thread(target=refresh) for _task in range(2)]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    assert True in done
    assert step.reason() is None
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
