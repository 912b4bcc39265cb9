"""How safe a run was, and how real, in words."""

from agent.deliver.story import Story


def in_words(story: Story) -> str:
    """Return in words what was within reach of the run's commands, and what was kept from them."""
    sandbox = story.started.get("sandbox")
    if sandbox == "none":
        return "There was no sandbox: commands could do whatever you can."
    reached = len({host for _, host, _, state in story.asked if state == "allowed"})
    refused = len({host for _, host, _, state in story.asked if state != "allowed"})
    left = {
        name
        for events in story.checks.values()
        for name, event in events.items()
        if event["state"] == "not run"
    }
    parts = [
        f"Commands ran in a sandbox ({sandbox}) that holds no key and shows nothing of you but "
        "the repository",
        f"{reached} host{'s were' if reached != 1 else ' was'} reached"
        if reached
        else "no host was reached",
        *([f"{refused} refused"] if refused else []),
        *([f"not run, because they would need more: {', '.join(sorted(left))}"] if left else []),
    ]
    return "; ".join(parts) + ". Your checkout was not touched."


def is_replay(story: Story) -> bool:
    """Return whether a recording answered instead of a model."""
    models = (story.started.get("models") or {}).values()
    return any(str(name).startswith("replay:") for name in models)
