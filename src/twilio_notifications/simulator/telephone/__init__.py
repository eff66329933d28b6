"""The telephones of the simulator: what a person does with them, what they show, and the page with both."""
