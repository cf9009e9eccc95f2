"""The Vagrantfile, evaluated by Ruby with a stand-in for Vagrant that writes down what it is told."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

EVALUATION = ("bookworm", "trixie")
TREE = Path(__file__).resolve().parents[2]
STAND_IN = r"""
require "json"
class Told
  def initialize(store) = @store = store
  def method_missing(name, *args, **named)
    key = name.to_s.delete_suffix("=")
    return block_given? ? yield(@store[key] ||= {}) : (@store[key] = args.first) if name.end_with?("=")
    return (@store[key] ||= []) << [*args, named] unless args.empty? || block_given?
    return Told.new(@store[key] ||= {}) unless block_given?
    child = (@store[key] ||= {})[args.first.to_s] ||= {}
    yield Told.new(child)
  end
  def respond_to_missing?(*) = true
end
TOLD = {}
module Vagrant
  def self.configure(version) = yield(Told.new(TOLD[version] = {}))
end
load ARGV.fetch(0)
puts JSON.generate(TOLD.fetch("2"))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if shutil.which("ruby") is None:
        pytest.skip("ruby is not installed; bin/test installs it")
    stand_in = tmp_path_factory.mktemp("vagrant") / "stand_in.rb"
    stand_in.write_text(STAND_IN)
    answer = subprocess.run(["ruby", str(stand_in), str(TREE / "Vagrantfile")], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)["vm"]


def test_there_is_a_box_of_each_debian_that_is_supported(told: Any) -> None:
    boxes = {name: told["define"][name]["vm"]["box"] for name in EVALUATION}
    assert boxes == {"bookworm": "debian/bookworm64", "trixie": "debian/trixie64"}


def test_each_box_runs_the_first_command_as_root(told: Any) -> None:
    for name in EVALUATION:
        ((provisioner, settings),) = told["define"][name]["vm"]["provision"]
        assert provisioner == "shell"
        assert settings["inline"].endswith("bin/up")
        assert settings.get("privileged", True)


def test_a_panel_in_production_has_a_machine_for_crms_beside_it(told: Any) -> None:
    panel, crm = told["define"]["panel"]["vm"], told["define"]["crm1"]["vm"]
    assert "bin/up --production" in panel["provision"][0][1]["inline"]
    assert "provision" not in crm
    addresses = [machine["network"][0][1]["ip"] for machine in (panel, crm)]
    assert len(set(addresses)) == 2
    assert addresses[0] in panel["provision"][0][1]["inline"]


def test_panel_and_crm_of_the_two_boxes_reach_the_host_on_ports_of_their_own(told: Any) -> None:
    ports = [(forward[1]["guest"], forward[1]["host"]) for box in _boxes(told) for forward in box["vm"]["network"]]
    assert {guest for guest, _ in ports} == {8470, 8480}
    assert len({host for _, host in ports}) == len(ports) == 4


def test_each_box_has_the_memory_and_processors_that_a_crm_needs(told: Any) -> None:
    for provider in told["provider"].values():
        assert (provider["memory"], provider["cpus"]) == (4096, 2)


def _boxes(told: Any) -> list[Any]:
    return [told["define"][name] for name in EVALUATION]
