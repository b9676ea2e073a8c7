"""The sample applications run, show their defects on a real pool, and do not after our fixes."""

from __future__ import annotations

import importlib
import json
import types
from typing import Any

import pytest
from proofs.bench import bench, package
from proofs.lab import Lab, garbage_left_alone
from wants import FIXTURES

REFERENCE = FIXTURES / "reference"
AS_WRITTEN, AS_FIXED = False, True


@pytest.mark.parametrize("fixed", [AS_WRITTEN, AS_FIXED])
@pytest.mark.parametrize("application", ["assistant", "helpdesk", "storefront"])
def test_every_module_can_be_imported(application: str, fixed: bool) -> None:
    with bench(), package(REFERENCE / application, fixed) as name:
        modules = [path.stem for path in (REFERENCE / application).glob("*.py") if "." not in path.stem]
        assert len(modules) > 3
        assert all(importlib.import_module(f"{name}.{module}").__doc__ for module in modules)


@pytest.mark.parametrize(("fixed", "out", "next_caller"), [(AS_WRITTEN, 2, "TimeoutError"), (AS_FIXED, 0, "served")])
def test_visitors_of_the_helpdesk(fixed: bool, out: int, next_caller: str) -> None:
    with bench() as lab, package(REFERENCE / "helpdesk", fixed) as name:
        visitors = importlib.import_module(f"{name}.visitors")
        _create(importlib.import_module(f"{name}.database"))
        with garbage_left_alone():
            for address in ("10.0.0.1", "10.0.0.2"):
                visitors.save_visitor_later(address).join(5)
            assert (lab.connections_out(), lab.next_caller()) == (out, next_caller)


@pytest.mark.parametrize(("fixed", "out"), [(AS_WRITTEN, 2), (AS_FIXED, 0)])
def test_messages_of_the_assistant_that_cannot_be_read(fixed: bool, out: int) -> None:
    with bench() as lab, package(REFERENCE / "assistant", fixed) as name:
        worker = importlib.import_module(f"{name}.worker").LateTryWorker()
        _create(importlib.import_module(f"{name}.database"))
        with garbage_left_alone():
            message = json.dumps({"conversation": 404}).encode()
            assert lab.repeat(2, worker.answer, message) == ["AttributeError", "AttributeError"]
            assert lab.connections_out() == out


@pytest.mark.parametrize(("fixed", "out"), [(AS_WRITTEN, 1), (AS_FIXED, 0)])
@pytest.mark.parametrize("callback", ["on_youtube", "on_facebook"])
def test_messages_of_the_storefront(callback: str, fixed: bool, out: int) -> None:
    with bench() as lab, package(REFERENCE / "storefront", fixed) as name:
        consumers = importlib.import_module(f"{name}.consumers")
        app = _shop(name)
        with app.app_context(), garbage_left_alone():
            body = json.dumps({"post_id": 1}).encode()
            getattr(consumers, callback)(_Channel(), _Method(), None, body)
            assert lab.connections_out() == out


@pytest.mark.parametrize(("fixed", "connections"), [(AS_WRITTEN, 2), (AS_FIXED, 1)])
def test_coupons_of_the_storefront(fixed: bool, connections: int) -> None:
    with bench() as lab, package(REFERENCE / "storefront", fixed) as name:
        app = _shop(name)
        models, coupons = (importlib.import_module(f"{name}.{module}") for module in ("models", "coupons"))
        with app.app_context(), garbage_left_alone():
            lab.watch.forget_holds()
            assert models.db.session.get(models.Customer, 1).name == "Ada"
            assert coupons.uses_of(1) == 0
            assert lab.most_out() == connections


@pytest.mark.parametrize("fixed", [AS_WRITTEN, AS_FIXED])
def test_requests_of_the_storefront(fixed: bool) -> None:
    with bench() as lab, package(REFERENCE / "storefront", fixed) as name:
        browser = _shop(name).test_client()
        assert browser.get("/customers/1").get_json() == {"name": "Ada"}
        assert browser.get("/posts/draft").get_json() == ["hello"]
        assert browser.post("/coupons/1").get_json() == {"redeemed": True}
        assert lab.connections_out() == 0


@pytest.mark.parametrize("right", ["close_old.close_old", "health.check_database"])
def test_the_right_forms_of_the_assistant_hold_nothing(right: str) -> None:
    with bench() as lab, package(REFERENCE / "assistant", AS_WRITTEN) as name:
        module, function = right.split(".")
        importlib.import_module(f"{name}.models")
        call = getattr(importlib.import_module(f"{name}.{module}"), function)
        _create(importlib.import_module(f"{name}.database"))
        with garbage_left_alone():
            assert call() is True if module == "health" else call(turns=1) == 0
            assert lab.connections_out() == 0


class _Channel:
    def basic_ack(self, tag: int) -> None:
        """Takes notice."""


class _Method:
    delivery_tag = 1


def _create(database: types.ModuleType) -> None:
    database.Base.metadata.create_all(database.engine)


def _shop(name: str) -> Any:
    app = importlib.import_module(f"{name}.app").create_app()
    models = importlib.import_module(f"{name}.models")
    with app.app_context():
        models.db.create_all()
        models.db.session.add_all([models.Post(id=1, network="all", text="hello"), models.Customer(id=1, name="Ada")])
        models.db.session.add(models.Coupon(id=1))
        models.db.session.commit()
    return app


def test_the_lab_sees_what_it_claims_to_see() -> None:
    with bench(size=1) as lab, package(REFERENCE / "assistant", AS_WRITTEN) as name:
        database = importlib.import_module(f"{name}.database")
        connection = database.engine.connect()
        assert isinstance(lab, Lab)
        assert (lab.connections_out(), lab.next_caller()) == (1, "TimeoutError")
        connection.close()
        assert (lab.connections_out(), lab.next_caller()) == (0, "served")
