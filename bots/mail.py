from bots.scene import Scene
from bots.contract import Turn, Ask


def answered(scene: Scene) -> Turn | Ask:
    return scene.turn()
