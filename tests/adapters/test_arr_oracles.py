"""The double's answers against the published schemas of the Arrs: right types, right words, and no key that those have not.

The oracles are packages that were generated from the Arrs' own API documents. They accept unknown keys, so keys are compared here.
"""

from __future__ import annotations

import importlib
from typing import Any, get_args

import pydantic
import pytest

from tests.doubles.arr.house import EPISODES, HASH, arr_house
from tests.doubles.arr.products import LIDARR, RADARR, SONARR

ORACLES = {"sonarr": SONARR, "radarr": RADARR, "lidarr": LIDARR}
OF_A_LIST = {
    "/queue/details": "queue_resource.QueueResource",
    "/command": "command_resource.CommandResource",
    "/downloadclient": "download_client_resource.DownloadClientResource",
    "/remotepathmapping": "remote_path_mapping_resource.RemotePathMappingResource",
    "/manualimport": "manual_import_resource.ManualImportResource",
    "/rootfolder": "root_folder_resource.RootFolderResource",
    "/diskspace": "disk_space_resource.DiskSpaceResource",
    "/health": "health_resource.HealthResource",
    "/history/since": "history_resource.HistoryResource",
}
OF_AN_OBJECT = {
    "/system/status": "system_resource.SystemResource",
    "/config/downloadclient": "download_client_config_resource.DownloadClientConfigResource",
    "/qualityprofile/1": "quality_profile_resource.QualityProfileResource",
    "/history": "history_resource_paging_resource.HistoryResourcePagingResource",
}
QUERIES = {
    "/history": {"page": "1", "pageSize": "50"},
    "/history/since": {"date": "2020-01-01T00:00:00Z"},
    "/manualimport": {"folder": "/downloads"},
}


@pytest.fixture(params=ORACLES)
def arr(request, tmp_path):
    """The name of an oracle's package, and a double of that product with something of everything."""
    with arr_house(tmp_path, ORACLES[request.param]) as house:
        house.pack(3)
        house.library.refuses[EPISODES[2]] = "Sample"
        house.library.messages[HASH.hex] = ["Sample"]
        house.library.mappings = [{"id": 1, "host": "qbit", "remotePath": "/data/", "localPath": "/downloads/"}]
        house.library.disks = ["/downloads"]
        house.library.alarms = [{"id": 1, "source": "IndexerStatusCheck", "type": "error", "message": "All are away"}]
        house.manager.command(house.manager.scan(house.arr_path, HASH).number)
        yield request.param, house.double


def answer(double, path: str) -> Any:
    status, told = double.answer("GET", path, QUERIES.get(path, {}), None)
    assert status == 200
    return told


def model(package: str, name: str) -> type[pydantic.BaseModel]:
    module, _, kind = name.partition(".")
    return getattr(importlib.import_module(f"{package}.models.{module}"), kind)


def unknown_keys(shape: Any, told: Any, where: str = "") -> list[str]:
    """Keys that an answer has and its schema has not, at any depth."""
    if isinstance(told, list):
        return [key for each in told for key in unknown_keys(shape, each, where)]
    inner = next((each for each in _models(shape)), None)
    if not isinstance(told, dict) or inner is None:
        return []
    fields = {field.alias or name: field for name, field in inner.model_fields.items()}
    found = [f"{where}/{key}" for key in told if key not in fields]
    for key, value in told.items():
        if key in fields:
            found += unknown_keys(fields[key].annotation, value, f"{where}/{key}")
    return found


def _models(shape: Any) -> list[Any]:
    if isinstance(shape, type) and issubclass(shape, pydantic.BaseModel):
        return [shape]
    return [each for part in get_args(shape) for each in _models(part)]


@pytest.mark.parametrize("path", OF_A_LIST)
def test_every_entry_of_a_list_fits_its_schema(arr, path):
    package, double = arr
    shape = model(package, OF_A_LIST[path])
    told = answer(double, path)
    assert told
    for each in told:
        assert shape.from_dict(each) is not None
        keys = unknown_keys(shape, each)
        assert [key for key in keys if not key.startswith("/body/")] == []  # a command's own fields are in no schema


@pytest.mark.parametrize("path", OF_AN_OBJECT)
def test_every_object_fits_its_schema(arr, path):
    package, double = arr
    shape = model(package, OF_AN_OBJECT[path])
    told = answer(double, path)
    assert shape.from_dict(told) is not None
    assert unknown_keys(shape, told) == []


def test_an_oracle_refuses_a_wrong_word_and_a_wrong_type():
    shape = model("sonarr", OF_A_LIST["/queue/details"])
    with pytest.raises(pydantic.ValidationError):
        shape.from_dict({"id": "one"})
    with pytest.raises((pydantic.ValidationError, ValueError)):
        shape.from_dict({"trackedDownloadState": "importedPerhaps"})


def test_a_key_that_no_schema_has_is_found():
    assert unknown_keys(model("sonarr", OF_A_LIST["/health"]), {"id": 1, "sauce": "x"}) == ["/sauce"]
