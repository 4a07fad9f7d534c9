# Copyright: Contributors to the prositronic.infra collection
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controller's part of model_download: asks the node again and again, and shows how far it is."""

from __future__ import annotations

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

_FOR_A_JOB = ("directory", "poll", "wait")


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        answer = self._execute_module(module_args=arguments, task_vars=task_vars)
        following = {name: arguments[name] for name in _FOR_A_JOB if name in arguments}
        while boolean(arguments.get("wait", True), strict=False) and answer.get("finished") is False and not answer.get("failed"):
            self._display.display(f"{task_vars['inventory_hostname']}: {answer['progress']}")
            answer = self._execute_module(module_args={**following, "job": answer["job"]}, task_vars=task_vars)
        result.update(answer)
        return result
